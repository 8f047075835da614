/** Style and script of the page: constants, because the page's policy names them by their hashes. */

/**
 * Colours of text and ground differ by 7:1 at least, in both schemes; what a colour says, an underline or a
 * number says too.
 */
export const STYLE = `
:root{--ground:#fff;--text:#1a1a1a;--dim:#4a4a4a;--line:#c8c8c8;--card:#f6f6f4;
--rare-1:#ffd76a;--rare-2:#ffe79e;--rare-3:#fff4cf;--on-mark:#1a1a1a;--chosen:#0b3d91}
@media (prefers-color-scheme:dark){:root{--ground:#121212;--text:#ececec;--dim:#bdbdbd;--line:#444;
--card:#1d1d1d;--rare-1:#6b4b00;--rare-2:#523c00;--rare-3:#3a2d08;--on-mark:#fff;--chosen:#a9c7ff}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:90rem;padding:1rem;background:var(--ground);color:var(--text);
font:1rem/1.55 system-ui,sans-serif}
h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;margin:1.2rem 0 .3rem}h3{font-size:1rem;margin:0}
.hint,.facts,footer{color:var(--dim);font-size:.9rem;margin:.2rem 0}
.text,blockquote{white-space:pre-wrap}
.text,blockquote,.facts,h3{overflow-wrap:anywhere}
.text{border:1px solid var(--line);border-radius:.4rem;padding:1rem}
a.span{color:var(--on-mark);text-decoration:underline;text-underline-offset:.2em;border-radius:.15rem}
.rarity-1{background:var(--rare-1)}.rarity-2{background:var(--rare-2)}.rarity-3{background:var(--rare-3)}
sup{font-size:.7em;line-height:0;margin-inline-end:.15em}
mark{background:var(--rare-1);color:var(--on-mark)}
ol{list-style:none;margin:0;padding:0}
li{background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.7rem 1rem;margin:.6rem 0}
blockquote{margin:.4rem 0 0;font-family:Georgia,serif}
a.span:focus-visible,li:focus-visible{outline:3px solid var(--chosen);outline-offset:2px}
a.span.chosen,li.chosen,li:target{outline:2px solid var(--chosen);outline-offset:1px}
li.other{opacity:.65}li.other .facts{color:var(--text)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:start;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid var(--line)}
tbody th{font-weight:normal;overflow-wrap:anywhere}
th.number,td.number{text-align:end;font-variant-numeric:tabular-nums;white-space:nowrap}
@media (min-width:64rem){main{display:grid;grid-template-columns:1fr 1fr;gap:0 2rem}
.output{position:sticky;top:0;align-self:start;max-height:100vh;overflow:auto}.shares,.spans{grid-column:1/-1}}
@media print{.output{position:static;max-height:none}li.other{opacity:1}}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
`;

/** Marks the documents of the passage that is pointed at; a click keeps them marked, Escape lets go. */
export const SCRIPT = `
'use strict';
(() => {
  const passages = [...document.querySelectorAll('a.span')];
  const documents = [...document.querySelectorAll('.documents li')];
  const status = document.getElementById('filter');
  const numbersOf = (element) => element.dataset.spans.split(' ');
  let kept;
  const show = (numbers) => {
    const has = (element) => numbersOf(element).some((each) => numbers?.includes(each));
    for (const passage of passages) passage.classList.toggle('chosen', has(passage));
    let found = 0;
    for (const each of documents) {
      const chosen = has(each);
      if (chosen) found++;
      each.classList.toggle('chosen', chosen);
      each.classList.toggle('other', numbers !== undefined && !chosen);
    }
    status.textContent = numbers === undefined ? '' :
      'Passage ' + numbers.join(', ') + ' is in ' + found + ' of ' + documents.length +
      (documents.length === 1 ? ' document.' : ' documents.') + ' Escape shows all.';
  };
  for (const passage of passages) {
    passage.addEventListener('pointerenter', () => show(numbersOf(passage)));
    passage.addEventListener('pointerleave', () => show(kept));
    passage.addEventListener('focus', () => show(numbersOf(passage)));
    passage.addEventListener('blur', () => show(kept));
    passage.addEventListener('click', () => show(kept = numbersOf(passage)));
  }
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') show(kept = undefined);
  });
})();
`;
