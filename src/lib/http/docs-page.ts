import type { OpenApiDocument } from './openapi.ts';

const METHODS = ['get', 'post', 'put', 'delete'] as const;

interface Operation {
  readonly summary: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly description?: string;
  }[];
  readonly requestBody?: unknown;
  readonly responses: Readonly<Record<string, { readonly description: string }>>;
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem; font: 600 1.1rem ui-monospace, monospace }
h3 { margin-bottom: .25rem; font-size: 1rem }
.method { display: inline-block; min-width: 4rem; font-family: ui-monospace, monospace }
table { border-collapse: collapse; margin: .5rem 0 }
th, td { padding: .2rem 1rem .2rem 0; text-align: left; vertical-align: top }
pre { overflow: auto; padding: 1rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: 6px }
`;

const row = (...cells: readonly string[]): string =>
  `<tr>${cells.map((cell) => `<td>${escape(cell)}</td>`).join('')}</tr>`;

function operationHtml(method: string, operation: Operation): string {
  const parameters = (operation.parameters ?? []).map((each) =>
    row(each.name, each.in, each.description ?? ''),
  );
  const body = operation.requestBody === undefined ? [] : [row('body', 'JSON', 'an entry, see below')];
  const responses = Object.entries(operation.responses).map(([status, { description }]) =>
    row(status, description),
  );
  const inputs = [...parameters, ...body];
  return [
    `<h3><span class="method">${method.toUpperCase()}</span> ${escape(operation.summary)}</h3>`,
    inputs.length > 0 ? `<table>${inputs.join('')}</table>` : '',
    `<table>${responses.join('')}</table>`,
  ].join('\n');
}

function pathHtml([path, operations]: [string, Readonly<Record<string, unknown>>]): string {
  const parts = METHODS.filter((method) => method in operations).map((method) =>
    operationHtml(method, operations[method] as Operation),
  );
  return `<h2>${escape(path)}</h2>\n${parts.join('\n')}`;
}

/** The document as one page without scripts or anything from elsewhere. */
export function docsPage({ info, paths, components }: OpenApiDocument): string {
  const schema = JSON.stringify(components.schemas, null, 2);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(info.title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escape(info.title)}</h1>
<p>${escape(info.summary)}. The same for programs: <a href="/openapi.json">/openapi.json</a>.</p>
${Object.entries(paths).map(pathHtml).join('\n')}
<h2>Schemas</h2>
<pre>${escape(schema)}</pre>
</body>
</html>
`;
}
