// Asks for changes and loads the page anew when there are some; the frames stay where they were scrolled to.
'use strict';
const seen = document.body.dataset.version;
const state = document.querySelector('.state');
const said = state.textContent;
const sheets = [...document.querySelectorAll('.sheet')];
const place = sheet => sheet.closest('.panel').id;
const scroller = sheet => sheet.contentDocument ? sheet.contentDocument.scrollingElement : sheet;
const kept = JSON.parse(sessionStorage.getItem('places') || '{}');

for (const sheet of sheets) {
  const restore = () => { const top = scroller(sheet); if (top) top.scrollTop = kept[place(sheet)] || 0; };
  if (sheet.contentDocument) sheet.addEventListener('load', restore); else restore();
}

addEventListener('pagehide', () => {
  const places = sheets.map(sheet => [place(sheet), (scroller(sheet) || {}).scrollTop || 0]);
  sessionStorage.setItem('places', JSON.stringify(Object.fromEntries(places)));
});

async function watch() {
  for (;;) {
    try {
      const answer = await fetch(`/changes?seen=${seen}`);
      document.body.classList.remove('away');
      if (state.textContent !== said) state.textContent = said;
      if ((await answer.json()).version !== seen) return location.reload();
    } catch {
      document.body.classList.add('away');
      state.textContent = state.dataset.stopped;
      await new Promise(done => setTimeout(done, 1000));
    }
  }
}
watch();
