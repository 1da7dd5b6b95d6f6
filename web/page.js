// What all pages say: status, errors, and the buttons that can't be used now.

export const byId = (id) => document.getElementById(id);
export const percent = (part) => `${(part * 100).toFixed(1)} %`;

/** Changes the text of an element, if it does change. @param {string} id @param {string} text */
export function put(id, text) {
  const place = byId(id);
  if (place.textContent !== text) place.textContent = text;
}

/** An element with children. @param {string} tag @param {string} className @param {(Node | string)[]} children */
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** The status line is read aloud: while a network learns, not more often than every 2 s. */
let lastSaid = 0, lateText = 0;
/** @param {string} text @param {{ isUrgent?: boolean }} [options] */
export function say(text, { isUrgent = true } = {}) {
  clearTimeout(lateText);
  const wait = isUrgent ? 0 : lastSaid + 2000 - performance.now();
  if (wait > 0) {
    lateText = setTimeout(say, wait, text);
    return;
  }
  lastSaid = performance.now();
  put('status', text);
}

const advice = {
  diverged: ' The network is back to its last good weights.',
  crashed: ' The network is kept as of its last epoch; just go on.',
  memory: ' Less data or smaller layers need less.',
};

/** Shows an error as a sentence, until it is dismissed; the same one only once. @param {Error} error */
export function showError(error) {
  const text = `${/[.!?]$/.test(error.message) ? error.message : `${error.message}.`}${advice[error.code] ?? ''}`, place = byId('errors');
  if (Array.from(place.children).some((old) => old.firstChild.textContent === text)) return;
  const message = element('p', '', text), close = element('button', '', 'Dismiss'), box = element('div', 'error', message, close);
  close.type = 'button';
  close.addEventListener('click', () => box.remove());
  place.append(box);
  if (!error.code) console.error(error); // a mistake of the page, not a case it knows
}

export const clearErrors = () => byId('errors').replaceChildren();

/** Runs what the user asked for; what goes wrong is said in the page. @param {() => unknown} work */
export async function attempt(work) {
  try {
    await work();
  } catch (error) {
    if (error?.name !== 'AbortError') showError(error);
  }
}

/** @param {() => Promise<unknown>} work that starts the engine @param {string} text to say then */
export const begin = (work, text) => attempt(async () => {
  try {
    await work();
    say(text);
  } catch (error) {
    say('The engine did not start');
    throw error;
  }
});

/** Buttons that can't be used now keep the focus and can be found: aria-disabled, not disabled. @param {string} id @param {boolean} can */
export const enable = (id, can) => byId(id).setAttribute('aria-disabled', String(!can));

/** @param {string} id @param {() => void} work */
export function onClick(id, work) {
  byId(id).addEventListener('click', ({ currentTarget }) => {
    if (currentTarget.getAttribute('aria-disabled') !== 'true') work();
  });
}

/** Files that are dropped on an element, of which a place lights up. @param {HTMLElement} on @param {HTMLElement} place
 * @param {(data: DataTransfer) => void} take */
export function listenForDrops(on, place, take) {
  for (const type of ['dragover', 'dragleave', 'drop']) {
    on.addEventListener(type, (event) => {
      event.preventDefault();
      place.classList.toggle('over', type === 'dragover');
      if (type === 'drop') take(event.dataTransfer);
    });
  }
}
