// What pages do better with a script. Every page works without it.
'use strict';

// A form with data-live shows in the element that data-into names what that address answers to the form as it stands,
// while one types. Where a button of the form has data-show, not before it was pressed.
function live(form) {
  const into = document.getElementById(form.dataset.into);
  const button = form.querySelector('[data-show]');
  let wanted = !button || !into.hidden;
  let timer = 0;
  let turn = 0;
  const ask = async () => {
    const mine = ++turn;
    into.setAttribute('aria-busy', 'true');
    try {
      const answer = await fetch(form.dataset.live, { method: 'POST', body: new FormData(form), headers: { 'X-Fragment': 'yes' } });
      const text = await answer.text();
      if (mine !== turn || !answer.ok) return;
      into.innerHTML = text; // our own server's, escaped there
      into.hidden = false;
      into.dispatchEvent(new CustomEvent('fresh'));
    } catch {
      // no network: the page still works without
    } finally {
      if (mine === turn) into.removeAttribute('aria-busy');
    }
  };
  form.addEventListener('input', () => {
    clearTimeout(timer);
    if (wanted) timer = setTimeout(ask, 700);
  });
  button?.addEventListener('click', (event) => {
    event.preventDefault();
    wanted = true;
    ask().then(() => into.scrollIntoView({ block: 'start' }));
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
    button.textContent = place.textContent;
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
