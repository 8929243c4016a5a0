"""One question to a Python library; exit 0 done, 1 refused, 2 anything else.

keyed_peer.py sslib|pyca ACTION ARGUMENT…, keyed_peer.py jwcrypto|pycryptodome ACTION ARGUMENT…
"""

import json
import sys

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

try:
    from cryptography.hazmat.primitives.asymmetric import mldsa
except ImportError:
    mldsa = None

CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}
HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
SCHEMES = {
    "Ed25519": "ed25519",
    "ES256": "ecdsa-sha2-nistp256",
    "ES384": "ecdsa-sha2-nistp384",
    "ES512": "ecdsa-sha2-nistp521",
}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def scheme_of(alg):
    if alg in SCHEMES:
        return SCHEMES[alg]
    name = "rsa-pkcs1v15-sha" if alg.startswith("RS") else "rsassa-pss-sha"
    return name + alg[2:]


def generate(alg):
    if alg == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if alg.startswith("ML-DSA-"):
        return getattr(mldsa, f"MLDSA{alg[7:]}PrivateKey").generate()
    if alg == "ECDSA-P384-SHA256":
        return ec.generate_private_key(ec.SECP384R1())
    if alg in CURVES:
        return ec.generate_private_key(CURVES[alg]())
    return rsa.generate_private_key(65537, 2048)


def public_pem(key):
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def private_pem(key, passphrase):
    how = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how
    )


def load_private(path, passphrase=None):
    return serialization.load_pem_private_key(read(path), passphrase)


def load_public(path):
    return serialization.load_pem_public_key(read(path))


def parameters(alg):
    if alg == "Ed25519" or alg.startswith("ML-DSA"):
        return ()
    hash_of = HASHES[alg[-3:] if alg != "ES512" else "512"]()
    if alg.startswith("E"):
        return (ec.ECDSA(hash_of),)
    if alg.startswith("RS"):
        return (padding.PKCS1v15(), hash_of)
    return (padding.PSS(padding.MGF1(hash_of), hash_of.digest_size), hash_of)


def pyca(action, *args):
    if action == "make":
        alg, private, public, *passphrase = args
        key = generate(alg)
        write(private, private_pem(key, passphrase[0].encode() if passphrase else None))
        write(public, public_pem(key.public_key()))
    elif action == "read":
        private, public, *passphrase = args
        key = load_private(private, passphrase[0].encode() if passphrase else None)
        write(public, public_pem(key.public_key()))
    elif action == "read-public":
        source, public = args
        write(public, public_pem(load_public(source)))
    elif action == "sign":
        alg, private, data, signature = args
        write(signature, load_private(private).sign(read(data), *parameters(alg)))
    elif action == "verify":
        alg, public, data, signature = args
        load_public(public).verify(read(signature), read(data), *parameters(alg))
    else:
        raise SystemExit(2)


def sslib(action, *args):
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import CryptoSigner, Signature, SSlibKey

    def key_of(public, alg):
        return SSlibKey.from_crypto(load_public(public), scheme=scheme_of(alg))

    def signer_of(private, public, alg):
        # By path, as its users do.
        return CryptoSigner.from_priv_key_uri(f"file2:{private}", key_of(public, alg))

    try:
        if action == "make":
            alg, private, public = args
            if alg == "Ed25519":
                signer = CryptoSigner.generate_ed25519()
            elif alg.startswith("ES"):
                signer = CryptoSigner.generate_ecdsa(scheme=scheme_of(alg))
            else:
                signer = CryptoSigner.generate_rsa(scheme=scheme_of(alg), size=2048)
            write(private, signer.private_bytes)
            write(public, public_pem(load_private(private).public_key()))
        elif action == "read":
            alg, private, source, public = args
            signer = signer_of(private, source, alg)
            write(public, public_pem(signer.public_key._crypto_key()))
        elif action == "read-public":
            alg, source, public = args
            write(public, public_pem(key_of(source, alg)._crypto_key()))
        elif action == "sign":
            alg, private, public, data, signature = args
            made = signer_of(private, public, alg).sign(read(data))
            write(signature, bytes.fromhex(made.signature))
        elif action == "verify":
            alg, public, data, signature = args
            key = key_of(public, alg)
            key.verify_signature(Signature(key.keyid, read(signature).hex()), read(data))
        elif action == "dsse-sign":
            alg, private, public, payload, payload_type, out = args
            envelope = Envelope(read(payload), payload_type, {})
            envelope.sign(signer_of(private, public, alg))
            write(out, json.dumps(envelope.to_dict()).encode())
        elif action == "dsse-verify":
            alg, public, path = args
            key = key_of(public, alg)
            envelope = json.loads(read(path))
            # It looks the signature up by its key id.
            for one in envelope["signatures"]:
                one["keyid"] = key.keyid
            Envelope.from_dict(envelope).verify([key], 1)
        else:
            raise SystemExit(2)
    except VerificationError:
        raise SystemExit(1)


def jwcrypto(action, *args):
    from jwcrypto import jwk

    if action == "make":
        alg, private, public = args
        kinds = {
            "Ed25519": {"kty": "OKP", "crv": "Ed25519"},
            "ES256": {"kty": "EC", "crv": "P-256"},
            "ES384": {"kty": "EC", "crv": "P-384"},
            "ES512": {"kty": "EC", "crv": "P-521"},
        }
        kind = kinds.get(alg, {"kty": "RSA", "size": 2048})
        key = jwk.JWK.generate(**kind, **({"alg": alg} if kind["kty"] == "RSA" else {}))
        write(private, key.export_private().encode())
        write(public, key.export_to_pem())
    elif action == "read":
        private, public = args
        key = jwk.JWK.from_json(read(private).decode())
        write(public, key.export_to_pem())
    else:
        raise SystemExit(2)


def pycryptodome(action, *args):
    from Crypto.PublicKey import ECC, RSA

    if action == "make":
        alg, private, public, passphrase = args
        protection = "PBKDF2WithHMAC-SHA512AndAES256-GCM"
        if alg[0] in "RP":
            key = RSA.generate(2048)
            pem = key.export_key("PEM", passphrase, pkcs=8, protection=protection)
            write(public, key.public_key().export_key("PEM"))
        else:
            curves = {"Ed25519": "Ed25519", "ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
            key = ECC.generate(curve=curves[alg])
            pem = key.export_key(
                format="PEM", use_pkcs8=True, passphrase=passphrase, protection=protection
            ).encode()
            write(public, key.public_key().export_key(format="PEM").encode())
        write(private, pem)
    elif action == "read":
        alg, private, public, passphrase = args
        module = RSA if alg[0] in "RP" else ECC
        key = module.import_key(read(private), passphrase)
        pem = key.public_key().export_key(format="PEM")
        write(public, pem if isinstance(pem, bytes) else pem.encode())
    else:
        raise SystemExit(2)


def main():
    library, action, *args = sys.argv[1:]
    libraries = {"sslib": sslib, "pyca": pyca, "jwcrypto": jwcrypto, "pycryptodome": pycryptodome}
    try:
        libraries[library](action, *args)
    except (InvalidSignature, ValueError, TypeError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        raise SystemExit(1)


main()
