// What a portal does, in types that were made of the served document: a name or a shape that is wrong does not compile.
import createClient from 'openapi-fetch';
import type { paths } from './schema.js';

function must(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

/** Receives, follows, lists, commands and listens. */
export async function run(baseUrl: string, key: string): Promise<void> {
  const citizen = createClient<paths>({ baseUrl });
  const agent = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });
  const tenant = 'ville';

  const incoming = {
    process: 'voirie/chaussee-abimee',
    channel: 'web' as const,
    opened_by: 'citizen' as const,
    form: { place: [48.957, 4.363], danger: true },
  };
  const send = () =>
    citizen.POST('/v1/{tenant}/requests', {
      params: { path: { tenant }, header: { 'Idempotency-Key': '0198c6a2-0000-7000-8000-00000000c0de', Prefer: 'wait=5' } },
      body: incoming,
    });
  const made = await send();
  must(made.response.status === 201 && made.data, 'it was not received');
  const again = await send();
  must(again.response.status === 200 && again.data?.request === made.data.request && again.data.repeated, 'it was received twice');

  const followed = await citizen.POST('/v1/{tenant}/follow', { params: { path: { tenant } }, body: { code: made.data.tracking_code ?? '' } });
  must(followed.data?.promises.length, 'nothing was promised');

  const wrong = await citizen.POST('/v1/{tenant}/requests', { params: { path: { tenant } }, body: { ...incoming, form: { danger: 'oui', autre: 1 } } });
  const pointers = (wrong.error?.errors ?? []).map((error) => error.pointer).sort();
  must(wrong.response.status === 422 && pointers.join() === '/form/autre,/form/danger,/form/place', `not every wrong field was named: ${pointers}`);

  const second = await citizen.POST('/v1/{tenant}/requests', { params: { path: { tenant } }, body: incoming });
  must(second.data, 'the second was not received');
  const seen = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await agent.GET('/v1/{tenant}/requests', {
      params: { path: { tenant }, query: { limit: 1, cursor }, header: { 'Guichet-Position': second.data.position } },
    });
    must(page.data, 'the list was not read');
    page.data.value.items.forEach((card) => seen.add(card.request));
    cursor = page.data.value.next ?? undefined;
  } while (cursor);
  must(seen.has(made.data.request) && seen.has(second.data.request), 'the list lacks what was received');

  const cut = new AbortController();
  const heard = await agent.GET('/v1/{tenant}/changes', {
    params: { path: { tenant }, query: { after: second.data.position } },
    parseAs: 'stream',
    signal: cut.signal,
  });
  must(heard.response.ok && heard.data, 'nobody may listen');

  const path = { tenant, request: made.data.request };
  const read = await agent.GET('/v1/{tenant}/requests/{request}', { params: { path } });
  const tag = read.response.headers.get('ETag') ?? '';
  const command = (tagged: string) =>
    agent.POST('/v1/{tenant}/requests/{request}/commands', {
      params: { path, header: { 'If-Match': tagged } },
      body: { command: 'note', text: 'Vu sur place.' },
    });
  const noted = await command(tag);
  must(noted.response.status === 200, 'the note was refused');
  const late = await command(tag);
  must(late.response.status === 412 && late.error?.code === 'request.moved_on', 'what had changed was not noticed');

  const text = new TextDecoder();
  let told = '';
  for await (const bytes of heard.data as unknown as AsyncIterable<Uint8Array>) {
    told += text.decode(bytes, { stream: true });
    if (told.includes('event: request.noted')) break;
  }
  must(told.includes(made.data.request), 'the change was not told');
  cut.abort();
}
