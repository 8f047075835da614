import type { Method } from '../method.ts';

/** The page that lists what can be called. `host` comes from the request and is escaped. */
export function endpointsPage(methods: readonly Method[], host: string): string {
  const byName = [...methods].sort((a, b) => (a.name < b.name ? -1 : 1));
  const plain = byName.filter((method) => method.params.length === 0);
  const withParams = byName.filter((method) => method.params.length > 0);
  const line = (link: string): string => {
    const text = escapeHtml(link);
    return `<a href="${text}">${text}</a></br>`;
  };
  return [
    '<html><body><br>Available endpoints:<br>',
    ...plain.map((method) => line(`//${host}/${method.name}`)),
    '<br>Endpoints that require arguments:<br>',
    ...withParams.map((method) =>
      line(`//${host}/${method.name}?${method.params.map((name) => `${name}=_`).join('&')}`),
    ),
    '</body></html>',
  ].join('');
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
  ['"', '&quot;'],
  ["'", '&#39;'],
]);

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES.get(character) ?? '');
}
