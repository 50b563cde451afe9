// What pages do better with a script. Every page works without it.
'use strict';

// A form with data-live shows in the element that data-into names what that address answers to the form as it stands,
// while one types. Where a button of the form has data-show, not before it was pressed.
function live(form) {
  const into = document.getElementById(form.dataset.into);
  const button = form.querySelector('[data-show]');
  let wanted = !button || !into.hidden;
  let plain = false;
  let timer = 0;
  let turn = 0;
  const ask = async () => { // whether the answer is there, or a later one will be
    const mine = ++turn;
    into.setAttribute('aria-busy', 'true');
    try {
      const answer = await fetch(form.dataset.live, { method: 'POST', body: new FormData(form), headers: { 'X-Fragment': 'yes' } });
      const text = await answer.text();
      if (mine !== turn) return true;
      if (!answer.ok) return false;
      into.innerHTML = text; // our own server's, escaped there
      into.hidden = false;
      into.dispatchEvent(new CustomEvent('fresh'));
      return true;
    } catch {
      return mine !== turn; // no network: the page still works without
    } finally {
      if (mine === turn) into.removeAttribute('aria-busy');
    }
  };
  form.addEventListener('input', () => {
    clearTimeout(timer);
    if (wanted) timer = setTimeout(ask, 700);
  });
  button?.addEventListener('click', (event) => {
    if (plain) return;
    event.preventDefault();
    wanted = true;
    ask().then((answered) => {
      if (answered) return into.scrollIntoView({ block: 'start' });
      plain = true;
      return button.click(); // what stands in the way is said by a page
    });
  });
}
document.querySelectorAll('form[data-live]').forEach(live);

// A button with data-more shows the spare rows of a list one after the other, then copies the last.
function more(button) {
  const list = document.getElementById(button.dataset.more);
  list.querySelectorAll('[data-spare]').forEach((row) => { row.hidden = true; });
  button.hidden = false;
  button.addEventListener('click', () => {
    let row = list.querySelector('[data-spare][hidden]');
    if (!row) {
      const last = list.lastElementChild;
      row = last.cloneNode(true);
      const number = list.children.length;
      row.querySelectorAll('[id]').forEach((field) => { field.id = field.id.replace(/\d+$/, number); });
      row.querySelectorAll('[for]').forEach((label) => { label.htmlFor = label.htmlFor.replace(/\d+$/, number); });
      row.querySelectorAll('input[name=interest]').forEach((field) => { field.value = ''; });
      row.querySelectorAll('.wrong, .doubt').forEach((said) => said.remove());
      list.append(row);
    }
    row.hidden = false;
    row.querySelector('input').focus();
  });
}
document.querySelectorAll('[data-more]').forEach(more);

// What data-when names by its id is a choice: the element is there while it is taken.
function when(element) {
  const choice = document.getElementById(element.dataset.when);
  const look = () => { element.hidden = !choice.checked; };
  choice.form.addEventListener('change', look);
  look();
}
document.querySelectorAll('[data-when]').forEach(when);

// The places that data-line and data-column name become buttons that move the caret of the text that data-places names.
function places(list) {
  const text = document.getElementById(list.dataset.places);
  list.querySelectorAll('[data-line]').forEach((place) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'quiet small';
    button.textContent = place.textContent.replace(/:$/, '');
    button.addEventListener('click', () => {
      const before = text.value.split('\n').slice(0, place.dataset.line - 1).join('\n').length;
      const at = before + (place.dataset.line > 1 ? 1 : 0) + Number(place.dataset.column) - 1;
      text.focus();
      text.setSelectionRange(at, at);
      text.scrollTop = (place.dataset.line - 4) * (text.scrollHeight / text.value.split('\n').length);
    });
    place.replaceWith(button);
  });
}
document.querySelectorAll('[data-places]').forEach((list) => {
  places(list);
  list.addEventListener('fresh', () => places(list));
});

// A list of time zones with data-guess begins at the one that the browser keeps.
function guessed(list) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...list.options].some((option) => option.value === zone)) list.value = zone;
}
document.querySelectorAll('select[data-guess]').forEach(guessed);

// The theme map: a word of the paper under the pointer, one theme of the legend in full, zoom and pan, arrow keys.
function themeMap(map) {
  const [stage, plane, told, zoom] = ['stage', 'plane', 'told', 'zoom'].map((name) => map.querySelector(`[data-${name}]`));
  const svg = stage.querySelector('svg');
  const marks = [...plane.querySelectorAll('.mark')].map((mark) => {
    const at = mark.transform.baseVal[0].matrix;
    return { mark, x: at.e, y: at.f };
  });
  const [width, height] = [svg.viewBox.baseVal.width, svg.viewBox.baseVal.height];
  const view = { x: 0, y: 0, k: 1 };
  const fingers = new Map();
  let here = null;
  let moved = 0;

  const draw = () => {
    view.k = Math.min(12, Math.max(1, view.k));
    view.x = Math.min(0, Math.max(width * (1 - view.k), view.x));
    view.y = Math.min(0, Math.max(height * (1 - view.k), view.y));
    plane.setAttribute('transform', `translate(${view.x} ${view.y}) scale(${view.k})`);
    svg.style.setProperty('--zoom', view.k ** 0.75); // marks grow, but less than the distances
    stage.classList.toggle('moved', view.k > 1);
    svg.classList.toggle('near', view.k > 2.5);
  };
  const scale = (by, x = width / 2, y = height / 2) => {
    const before = view.k;
    view.k = Math.min(12, Math.max(1, view.k * by));
    view.x = x - (x - view.x) * view.k / before;
    view.y = y - (y - view.y) * view.k / before;
    draw();
  };
  const unit = () => width / svg.getBoundingClientRect().width;
  const place = (event) => {
    const box = svg.getBoundingClientRect();
    return [(event.clientX - box.left) * unit(), (event.clientY - box.top) * unit()];
  };
  const show = (found) => {
    here?.mark.classList.remove('here');
    here = found;
    here?.mark.classList.add('here');
    told.textContent = here ? here.mark.querySelector('title').textContent : '';
  };
  const pick = (theme) => {
    map.classList.toggle('picked', Boolean(theme));
    plane.querySelectorAll('[data-theme]').forEach((one) => one.classList.toggle('shown', one.dataset.theme === theme));
  };
  let held = '';
  map.querySelectorAll('.pick').forEach((button) => {
    button.hidden = false;
    const { theme } = button.dataset;
    const row = button.closest('li');
    button.addEventListener('click', () => {
      held = held === theme ? '' : theme;
      map.querySelectorAll('.pick').forEach((one) => one.setAttribute('aria-pressed', String(one.dataset.theme === held)));
      pick(held);
    });
    for (const [name, value] of [['pointerenter', theme], ['focusin', theme], ['pointerleave', ''], ['focusout', '']]) {
      row.addEventListener(name, () => pick(value || held));
    }
  });
  map.querySelectorAll('[data-still]').forEach((one) => one.remove());

  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const step = ([dx, dy]) => {
    const from = here ?? { x: (width / 2 - view.x) / view.k, y: (height / 2 - view.y) / view.k };
    const cost = (one) => {
      const [ahead, aside] = [(one.x - from.x) * dx + (one.y - from.y) * dy, (one.x - from.x) * dy - (one.y - from.y) * dx];
      return ahead > 0 ? Math.hypot(ahead, 2.5 * aside) : Infinity;
    };
    const best = marks.reduce((a, b) => (cost(b) < cost(a) ? b : a));
    if (cost(best) === Infinity) return;
    show(best);
    const [x, y] = [view.x + best.x * view.k, view.y + best.y * view.k];
    if (x < 20 || x > width - 20) view.x += width / 2 - x;
    if (y < 20 || y > height - 20) view.y += height / 2 - y;
    draw();
  };
  stage.tabIndex = 0;
  stage.setAttribute('role', 'application');
  stage.setAttribute('aria-label', 'Theme map. Arrow keys go from paper to paper, Enter opens one, plus and minus zoom, 0 shows all.');
  stage.addEventListener('keydown', (event) => {
    if (event.target !== stage || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    if (key in arrows) step(arrows[key]);
    else if (key === '+' || key === '=') scale(1.5);
    else if (key === '-') scale(1 / 1.5);
    else if (key === '0') scale(0);
    else if (key === 'Enter' && here) window.location.assign(here.mark.getAttribute('href'));
    else if (key === 'Escape') show(null);
    else return;
    event.preventDefault();
  });

  plane.addEventListener('pointerover', (event) => {
    const mark = event.target.closest('.mark');
    if (mark && !fingers.size) show(marks.find((one) => one.mark === mark));
  });
  // the wheel scrolls the page until the map was clicked
  stage.addEventListener('wheel', (event) => {
    if (!event.ctrlKey && !stage.contains(document.activeElement)) return;
    event.preventDefault();
    scale(Math.exp(-event.deltaY / (event.deltaMode ? 20 : 400)), ...place(event));
  }, { passive: false });
  svg.addEventListener('dragstart', (event) => event.preventDefault());
  svg.addEventListener('pointerdown', (event) => {
    if (!fingers.size) moved = 0;
    fingers.set(event.pointerId, place(event));
    stage.focus({ preventScroll: true });
  });
  window.addEventListener('pointermove', (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = place(event);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    if (other) {
      const reach = (point) => Math.max(1, Math.hypot(point[0] - other[0], point[1] - other[1]));
      scale(reach(now) / reach(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
      moved = Infinity;
    } else {
      view.x += dx;
      view.y += dy;
      moved += Math.hypot(dx, dy) / unit();
      if (moved > 4) draw();
    }
    fingers.set(event.pointerId, now);
  });
  for (const name of ['pointerup', 'pointercancel']) {
    window.addEventListener(name, (event) => fingers.delete(event.pointerId));
  }
  svg.addEventListener('click', (event) => { if (moved > 4) event.preventDefault(); }, true);
  zoom.addEventListener('click', (event) => {
    const { by } = event.target.dataset;
    if (by) scale({ in: 1.6, out: 1 / 1.6, all: 0 }[by]);
  });
  zoom.hidden = false;
  told.hidden = false;
}
document.querySelectorAll('[data-map]').forEach(themeMap);

// Pressing a button of a form with data-rate changes its row where it stands, without leaving the place in the list.
function rate(form) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const row = form.closest('li[id]');
    const place = [...row.querySelectorAll('button')].indexOf(event.submitter);
    try {
      const answer = await fetch(form.action, { method: 'POST', body: new FormData(form) });
      const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById(row.id);
      if (!fresh) throw new Error('not there');
      row.replaceChildren(...fresh.childNodes);
      row.querySelectorAll('form[data-rate]').forEach(rate);
      row.querySelectorAll('button')[place]?.focus();
    } catch {
      form.submit();
    }
  });
}
document.querySelectorAll('form[data-rate]').forEach(rate);
