// Follows a job: asks for what is new of its log, and shows the page anew when its state changes.
(() => {
  "use strict";

  const state = document.getElementById("state"), log = document.getElementById("log");
  let piece = Number(state.dataset.piece), known = null, wait = 1000;

  async function ask() {
    try {
      const url = new URL(state.dataset.twin, window.location.href);
      url.searchParams.set("after", piece);
      const answer = await fetch(url, { headers: { accept: "application/json" } });
      if (!answer.ok) throw new Error(answer.statusText);
      const { job, log: pieces } = await answer.json();
      const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 40;
      for (const one of pieces) {
        log.append(one.text.endsWith("\n") ? one.text : `${one.text}\n`);
        piece = one.piece;
      }
      if (pieces.length) {
        log.hidden = false;
        if (atEnd) log.scrollTop = log.scrollHeight;
      }
      const now = `${job.state} ${job.step}`;
      if (job.ended || (known !== null && now !== known)) return window.location.reload();
      known = now;
      const bar = state.querySelector("progress");
      if (bar && job.quanta_total) {
        bar.value = job.quanta_done ?? 0;
        bar.nextElementSibling.textContent = `${job.quanta_done ?? 0} of ${job.quanta_total}`;
      } else if (job.quanta_total) return window.location.reload();
      wait = 1000;
    } catch {
      wait = Math.min(2 * wait, 30000);
    }
    window.setTimeout(ask, wait);
  }

  log.scrollTop = log.scrollHeight;
  window.setTimeout(ask, wait);
})();
