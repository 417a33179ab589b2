// The page of the portal. It knows no process: it asks Guichet which there are and draws the form that each describes.
const say = (text) => text?.fr ?? '';
const at = (id) => document.getElementById(id);
const make = (name, attributes = {}, ...children) => {
  const made = Object.assign(document.createElement(name), attributes);
  made.append(...children);
  return made;
};
const api = (path, options = {}) => fetch(`/api${path}`, options);
const json = (body, headers = {}) => ({
  method: 'POST', headers: { 'content-type': 'application/json', 'accept-language': 'fr', ...headers }, body: JSON.stringify(body),
});
const moment = (instant) => new Date(instant).toLocaleString('fr-FR', { dateStyle: 'full', timeStyle: 'short' });

at('search').addEventListener('submit', async (event) => {
  event.preventDefault();
  const { value } = await (await api(`/catalogue?limit=8&q=${encodeURIComponent(at('words').value)}`)).json();
  at('found').replaceChildren(...value.map((entry) => {
    const choose = make('button', { type: 'button', textContent: say(entry.title) });
    choose.addEventListener('click', () => show(entry.process));
    return make('li', {}, choose);
  }));
});

/** One input for a field of the form; `read` gives its value, or nothing. */
function input(field) {
  const id = `field-${field.field}`;
  const own = { id, name: field.field };
  const several = (kind) => field.options.map((option) => make('label', {},
    make('input', { type: kind, name: id, value: option.value }), ` ${say(option.label)}`));
  switch (field.type) {
    case 'boolean': { const box = make('input', { ...own, type: 'checkbox' }); return { box, read: () => box.checked || undefined }; }
    case 'number': case 'integer': {
      const box = make('input', { ...own, type: 'number', step: field.type === 'integer' ? 1 : 'any' });
      return { box, read: () => (box.value === '' ? undefined : box.valueAsNumber) };
    }
    case 'date': case 'time': case 'email': {
      const box = make('input', { ...own, type: field.type });
      return { box, read: () => box.value || undefined };
    }
    case 'choice': case 'choices': {
      const one = field.type === 'choice';
      const box = make('fieldset', { id }, ...several(one ? 'radio' : 'checkbox'));
      const chosen = () => [...box.querySelectorAll(':checked')].map((it) => it.value);
      return { box, read: () => (one ? chosen()[0] : chosen().length ? chosen() : undefined) };
    }
    case 'location': {
      const [lat, lon] = ['latitude', 'longitude'].map((name) => make('input', { type: 'number', step: 'any', ariaLabel: name, name: `${id}-${name}` }));
      const here = make('button', { type: 'button', textContent: 'Ma position' });
      here.addEventListener('click', () => navigator.geolocation.getCurrentPosition(({ coords }) => {
        lat.value = coords.latitude; lon.value = coords.longitude;
      }));
      return { box: make('div', { id }, lat, ' ', lon, ' ', here), read: () => (lat.value && lon.value ? [lat.valueAsNumber, lon.valueAsNumber] : undefined) };
    }
    case 'files': {
      const box = make('input', { ...own, type: 'file', multiple: (field.at_most ?? 20) > 1, accept: (field.accept ?? []).join(',') });
      return { box, read: async () => (box.files.length ? Promise.all([...box.files].map(upload)) : undefined) };
    }
    default: {
      const box = make('textarea', { ...own, rows: (field.max_length ?? 0) > 300 ? 5 : 1, maxLength: field.max_length ?? 10000 });
      return { box, read: () => box.value || undefined };
    }
  }
}

/** Stores a file; the form then names it by what is answered. */
async function upload(file) {
  const body = new FormData();
  body.append('file', file, file.name);
  const answer = await api('/files', { method: 'POST', headers: { 'accept-language': 'fr' }, body });
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer.json();
}

async function show(name) {
  const process = await (await api(`/catalogue/${name}`)).json();
  const inputs = new Map(process.form.map((field) => [field.field, input(field)]));
  const faults = make('div', { role: 'alert' });
  const email = make('input', { type: 'email', id: 'email', autocomplete: 'email' });
  const form = make('form', {},
    ...process.form.flatMap((field) => [
      make('label', { htmlFor: `field-${field.field}`, textContent: say(field.label) + (field.required === 'always' ? ' *' : '') }),
      ...(field.help ? [make('p', { className: 'help', textContent: say(field.help) })] : []),
      inputs.get(field.field).box,
    ]),
    make('label', { htmlFor: 'email', textContent: 'Votre adresse électronique' }), email,
    faults, make('button', { textContent: 'Envoyer' }));
  // Made once for this form: however often it is sent, the request is received once.
  const idempotency = crypto.randomUUID();
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      const values = {};
      for (const [field, { read }] of inputs) values[field] = await read();
      const contact = email.value ? { email: email.value } : {};
      const sent = await api('/requests', json({ process: name, form: values, requester: { preferred: contact.email && 'email', contact } },
        { 'idempotency-key': idempotency, prefer: 'wait=5' }));
      const answer = await sent.json();
      if (!sent.ok) {
        const lines = answer.errors?.length ? answer.errors.map((error) => `${error.pointer.split('/').at(-1)} : ${error.detail}`) : [answer.detail];
        faults.replaceChildren(...lines.map((line) => make('p', { className: 'fault', textContent: line })));
        return;
      }
      received(answer);
    } catch (error) {
      faults.replaceChildren(make('p', { className: 'fault', textContent: error.message }));
    }
  });
  at('process').replaceChildren(make('h2', { textContent: say(process.title) }), make('p', { textContent: say(process.description) }), form);
  at('process').hidden = false;
}

function received({ tracking_code: code, promises }) {
  const answer = promises.find((promise) => promise.commitment === 'answer');
  const state = make('div', { id: 'state' });
  at('request').replaceChildren(
    make('h2', { textContent: 'Votre demande est enregistrée' }),
    make('p', { className: 'code', id: 'code', textContent: code }),
    make('p', { id: 'promise', textContent: answer ? `Réponse au plus tard le ${moment(answer.due)}.` : '' }),
    state);
  at('process').hidden = true;
  at('request').hidden = false;
  watch(code, state);
}

/** Shows the request as it stands, now and whenever it changes. The code stays in bodies: addresses are logged. */
async function watch(code, state) {
  const look = async () => {
    const followed = await (await api('/follow', json({ code }))).json();
    const lines = [['stage', followed.words], ...followed.messages.map((text) => ['message', text]), ['answer', followed.answer]];
    state.replaceChildren(...lines.filter(([, text]) => text).map(([className, textContent]) => make('p', { className, textContent })));
  };
  await look();
  for (let pause = 500; ; pause = Math.min(pause * 2, 30_000)) {
    try {
      const reader = (await api('/follow/changes', json({ code }, { accept: 'text/event-stream' }))).body
        .pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        text += part.value;
        const whole = text.lastIndexOf('\n\n');
        if (whole < 0) continue;
        if (/^data:/m.test(text.slice(0, whole))) await look();
        text = text.slice(whole + 2);
        pause = 500;
      }
    } catch {
      // The connection broke off: what was missed meanwhile is looked at first.
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
    await look().catch(() => {});
  }
}
