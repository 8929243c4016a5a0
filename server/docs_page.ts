import { isObject, type Json, type JsonObject, jsonText } from "../internal/json.ts";

/** The OpenAPI document as a page: one answer, without a script or anything from elsewhere. */
export function docsPage(document: JsonObject): Response {
  const { info, paths, components } = document as Record<string, JsonObject>;
  const { schemas } = components as Record<string, JsonObject>;
  const parts = [
    `<h1>${escaped(info.title)} <small>${escaped(info.version)}</small></h1>`,
    `<p>${escaped(info.description)} Machines read <a href="openapi.json">openapi.json</a>.</p>`,
    ...Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods as JsonObject).map(([method, operation]) =>
        operationText(path, method, operation as JsonObject)
      )
    ),
    "<h2>Schemas</h2>",
    ...Object.entries(schemas).map(([name, schema]) =>
      `<section id="${escaped(name)}"><h3>${escaped(name)}</h3>` +
      `<pre>${linked(JSON.stringify(schema, null, 2))}</pre></section>`
    ),
  ];
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width"><title>${escaped(info.title)}</title>` +
    `<style>${STYLE}</style></head><body>${parts.join("\n")}</body></html>\n`;
  return new Response(html, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy":
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; " +
        "frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    },
  });
}

const STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;" +
  "padding:0 1rem;color:#1b1b1b;background:#fff}code,pre{font:14px/1.4 ui-monospace,monospace}" +
  "pre{background:#f4f4f4;padding:.8rem;overflow:auto}h2{border-top:1px solid #ccc;" +
  "padding-top:1rem}table{border-collapse:collapse}td,th{text-align:left;padding:.2rem .8rem " +
  ".2rem 0;vertical-align:top}small{color:#555}a{color:#0645ad}";

function operationText(path: string, method: string, operation: JsonObject): string {
  const { parameters = [], requestBody, responses, description, security } = operation;
  const rows = (parameters as JsonObject[]).map(({ name, in: where, description = "" }) =>
    `<tr><td><code>${escaped(name)}</code></td><td>${escaped(where)}</td>` +
    `<td>${escaped(description)}</td></tr>`
  );
  const answers = Object.entries(responses as JsonObject).map(([status, one]) =>
    `<tr><td><code>${escaped(status)}</code></td>` +
    `<td>${escaped((one as JsonObject).description)}</td><td>${schemaLink(one)}</td></tr>`
  );
  return [
    `<h2><code>${escaped(method.toUpperCase())} ${escaped(path)}</code></h2>`,
    `<p>${escaped(operation.summary)}.${security === undefined ? "" : " Needs an API key."}</p>`,
    description === undefined ? "" : `<p>${escaped(description)}</p>`,
    rows.length === 0 ? "" : `<table>${rows.join("")}</table>`,
    requestBody === undefined ? "" : `<p>Body: ${schemaLink(requestBody)}</p>`,
    `<table>${answers.join("")}</table>`,
  ].join("\n");
}

function schemaLink(value: Json): string {
  const name = /#\/components\/schemas\/(\w+)/.exec(JSON.stringify(value))?.[1];
  return name === undefined || !isObject(value) ? "" : `<a href="#${name}">${name}</a>`;
}

function linked(text: string): string {
  return escaped(text).replace(
    /#\/components\/schemas\/(\w+)/g,
    (whole, name) => `<a href="#${name}">${whole}</a>`,
  );
}

function escaped(value: Json): string {
  return jsonText(value).replace(/[&<>"']/g, (unit) => `&#${unit.charCodeAt(0)};`);
}
