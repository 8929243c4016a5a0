"""Answers questions, one JSON per line, with sigstore for Python."""

import base64
import hashlib
import json
import logging
import sys
import tempfile

from sigstore import dsse
from sigstore.errors import Error
from sigstore.hashes import Hashed
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier, policy
from sigstore_models.common.v1 import HashAlgorithm

logging.disable(logging.CRITICAL)
verifiers = {}


def verifier_of(root):
    if root not in verifiers:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(root)
            file.flush()
            verifiers[root] = Verifier(trusted_root=TrustedRoot.from_file(file.name))
    return verifiers[root]


def answer(question):
    if "key" in question:
        return "n/a", "takes no key"
    artifact = question["artifact"]
    if "sha512" in artifact:
        return "n/a", "takes SHA-256 only"
    try:
        digest = (
            bytes.fromhex(artifact["sha256"])
            if "sha256" in artifact
            else hashlib.sha256(base64.b64decode(artifact["base64"])).digest()
        )
        hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=digest)
        verifier = verifier_of(question["root"])
        bundle = Bundle.from_json(question["bundle"])
        expected = policy.Identity(identity=question["identity"], issuer=question["issuer"])
        if bundle._dsse_envelope:
            kind, payload = verifier.verify_dsse(bundle=bundle, policy=expected)
            if kind != dsse.Envelope._TYPE:
                return "fail", "payload type"
            if not dsse.Statement(payload)._matches_digest(hashed):
                return "fail", "no subject for digest"
        else:
            verifier.verify_artifact(input_=hashed, bundle=bundle, policy=expected)
        return "pass", ""
    except Error as error:
        return "fail", f"{type(error).__name__}: {error}"
    except Exception as error:
        return "fail", f"uncaught {type(error).__name__}: {error}"


for line in sys.stdin:
    verdict, why = answer(json.loads(line))
    print(json.dumps({"verdict": verdict, "why": why[:300]}), flush=True)
