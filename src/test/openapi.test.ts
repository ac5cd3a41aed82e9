import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENDPOINTS } from '../lib/http/endpoints.ts';
import { openApiDocument } from '../lib/http/openapi.ts';
import { runApp, type RunningApp } from './testing/running-app.ts';

const METHODS = ['get', 'post', 'put', 'delete'];

describe('the OpenAPI document', () => {
  const document = openApiDocument('Address <Book>');

  it('has exactly the endpoints and methods that are served', () => {
    const documented = Object.entries(document.paths).map(([path, operations]) => [
      path.replace('{id}', ':id'),
      METHODS.filter((method) => method in operations)
        .map((method) => method.toUpperCase())
        .toSorted(),
    ]);
    const served = ENDPOINTS.map(({ route, allow }) => [
      route,
      allow
        .split(', ')
        .filter((method) => METHODS.includes(method.toLowerCase()))
        .toSorted(),
    ]);
    expect(documented).toEqual(served);
  });

  it('refers to nothing that is not in it', () => {
    const text = JSON.stringify(document);
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
      ([, name]) => name ?? '',
    );
    expect(references.length).toBeGreaterThan(5);
    for (const name of references) expect(Object.keys(document.components.schemas)).toContain(name);
    expect(text).not.toContain('#/definitions/');
  });

  describe('served', () => {
    let app: RunningApp;
    beforeAll(async () => {
      app = await runApp();
    });
    afterAll(() => app.close());

    it('as JSON', async () => {
      const response = await fetch(`${app.url}/openapi.json`);
      expect(response.headers.get('content-type')).toMatch('application/json');
      expect(await response.json()).toEqual(JSON.parse(JSON.stringify(openApiDocument('Address Book'))));
    });

    it('as a page that names every path and runs no script', async () => {
      const response = await fetch(`${app.url}/docs`);
      const page = await response.text();
      for (const path of Object.keys(document.paths)) expect(page).toContain(path);
      expect(page).not.toContain('<script');
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    });
  });
});
