/* A WebSocket that comes back. Knows nothing of chat or of the page.
 *
 * new Connection(url, on): `url()` returns the absolute address; `on.state(name, detail)` hears of "connecting",
 * "connected", "waiting" (detail: time in ms at which it tries again) and "stopped" (detail: why);
 * `on.frame(object)` hears every frame but pongs.
 */
(function () {
  "use strict";

  const BACKOFF_FIRST = 1000; // ms; doubles up to BACKOFF_MAX, and the wait is a random part of it (full jitter)
  const BACKOFF_MAX = 30000;
  const RESTART_SPREAD = 5000; // ms; after 1012 everyone comes back within this time, not at once
  const HEALTHY_AFTER = 60000; // ms of being connected after which the backoff starts over
  const CONNECT_WITHIN = 15000; // ms; a handshake that is swallowed must not hang for minutes
  const PING_EVERY = 20000; // ms; a page cannot see the server's pings, so it asks by itself
  const PONG_WITHIN = 10000; // ms of silence after a ping that mean the server is gone
  const REFUSED = [1008, 4401]; // close codes that a new try would only repeat

  class Connection {
    constructor(url, on) {
      this.url = url;
      this.on = on;
      this.socket = null;
      this.attempts = 0;
      this.timers = {};
      this.waiting = false;
      this.stopped = false;
      window.addEventListener("online", () => this.hurry());
      document.addEventListener("visibilitychange", () => {
        if (document.visibilityState === "visible") this.hurry();
      });
      // A page with an open socket is not kept in the back/forward cache.
      window.addEventListener("pagehide", () => this.drop(1000));
      window.addEventListener("pageshow", (event) => {
        if (event.persisted && !this.stopped) this.open();
      });
    }

    open() {
      this.drop(1000);
      this.waiting = this.stopped = false;
      this.on.state("connecting");
      let socket;
      try {
        socket = new WebSocket(this.url());
      } catch (error) {
        this.stop("Cannot connect: " + error.message);
        return;
      }
      this.socket = socket;
      this.after("connect", CONNECT_WITHIN, () => this.lost(1006));
      socket.onopen = () => {
        this.cancel("connect");
        this.after("healthy", HEALTHY_AFTER, () => { this.attempts = 0; });
        this.after("ping", PING_EVERY, () => this.ping());
        this.on.state("connected");
      };
      socket.onmessage = (event) => {
        this.cancel("pong");
        const frame = JSON.parse(event.data);
        if (frame.type !== "pong") this.on.frame(frame);
      };
      socket.onclose = (event) => this.lost(event.code, event.reason);
    }

    /** Sends a frame; false when there is no open socket to take it. */
    send(frame) {
      if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return false;
      this.socket.send(JSON.stringify(frame));
      return true;
    }

    /** Something changed for the better: connect now rather than later, or see whether the socket still lives. */
    hurry() {
      if (this.waiting) this.open();
      else this.ping();
    }

    ping() {
      if (!this.send({ type: "ping" })) return;
      this.after("ping", PING_EVERY, () => this.ping());
      if (!this.timers.pong) this.after("pong", PONG_WITHIN, () => this.lost(1006));
    }

    lost(code, reason) {
      this.drop(1000);
      if (REFUSED.includes(code)) {
        this.stop("Refused: " + (reason || "the server closed the socket with " + code));
        return;
      }
      const ceiling = Math.min(BACKOFF_MAX, BACKOFF_FIRST * Math.pow(2, this.attempts));
      const wait = Math.random() * (code === 1012 ? RESTART_SPREAD : ceiling);
      this.attempts += 1;
      this.waiting = true;
      this.after("retry", wait, () => this.open());
      this.on.state("waiting", Date.now() + wait);
    }

    stop(reason) {
      this.stopped = true;
      this.on.state("stopped", reason);
    }

    /** Forgets the socket at once: a close handshake with a dead server may take minutes. */
    drop(code) {
      Object.keys(this.timers).forEach((name) => this.cancel(name));
      if (!this.socket) return;
      this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
      this.socket.close(code);
      this.socket = null;
    }

    after(name, delay, action) {
      this.cancel(name);
      this.timers[name] = setTimeout(() => {
        delete this.timers[name];
        action();
      }, delay);
    }

    cancel(name) {
      clearTimeout(this.timers[name]);
      delete this.timers[name];
    }
  }

  window.Connection = Connection;
})();
