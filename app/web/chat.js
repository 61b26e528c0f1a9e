/* The page: joins a room, says and shows messages, and tells how the connection is. */
(function () {
  "use strict";

  const { Connection, MessageList, make, avatar } = window;
  const ROOMS_EVERY = 15000; // ms between two looks at the API while the page is visible
  const ROOMS_SHOWN = 20;
  const JOIN_AGAIN = 3000; // ms after a join that the server could not carry out for the moment
  const STATES = { connecting: "Connecting…", connected: "Connected", waiting: "Reconnecting" };

  const ui = {};
  document.querySelectorAll("[id]").forEach((element) => { ui[element.id] = element; });
  const list = new MessageList(ui.messages, ui.scroller, ui.newer);

  let connection = null;
  let asked = null; // {room, nick} the user wants to be in; joined again after every reconnect
  let joined = null; // {room, nick, epoch, last} as the server confirmed it
  let ready = false; // the server has answered our last join, so what we send goes to `joined.room`
  let pending = []; // {key, room, text, element, failed}: written and not yet confirmed; failed ones wait for a click
  let joining = 0; // timer of the next attempt to join

  // --- what we say --------------------------------------------------------------------------------------------------

  function enter(room, nick) {
    ui.room.value = room.trim();
    ui.nick.value = nick.trim();
    asked = { room: ui.room.value, nick: ui.nick.value };
    join();
  }

  function join() {
    clearTimeout(joining);
    ready = false;
    if (!asked) return;
    const known = joined && joined.room === asked.room ? { after: joined.last, epoch: joined.epoch } : {};
    connection.send(Object.assign({ type: "join" }, asked, known));
  }

  function say(text) {
    const item = { key: randomKey(), room: joined.room, text: text, element: list.send(joined.nick, text) };
    ui.empty.hidden = true;
    pending.push(item);
    transmit(item);
  }

  function transmit(item) {
    if (ready) connection.send({ type: "send", text: item.text, key: item.key });
  }

  function sendAgain(item) {
    item.failed = false;
    list.resend(item.element);
    transmit(item);
  }

  // crypto.randomUUID exists on https pages only; this works on http as well.
  function randomKey() {
    return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("");
  }

  // --- what the server says -----------------------------------------------------------------------------------------

  const take = {
    welcome(frame) {
      const resumed = joined && joined.room === frame.room;
      const restarted = resumed && joined.epoch !== frame.epoch;
      const unconfirmed = pending.filter((item) => item.room === frame.room);
      // A welcome that answers no join says that the server had to start over; what we sent is still on its way.
      const unsent = ready ? [] : unconfirmed.filter((item) => !item.failed);
      if (!resumed) list.reset(unconfirmed.map((item) => item.element));
      if (restarted) list.note("The chat has started anew. Its history begins here.");
      else if (resumed && frame.gap) list.note("Some messages are missing here.");
      joined = { room: frame.room, nick: frame.you, epoch: frame.epoch, last: resumed && !restarted ? joined.last : 0 };
      asked = { room: frame.room, nick: frame.you };
      frame.messages.forEach(take.message);
      ready = true;
      // Those that came back with the history are confirmed by now; the others were lost on the way.
      unsent.filter((item) => pending.includes(item)).forEach(transmit);
      showRoom();
      take.members(frame);
      if (!resumed) showPanel(false);
      if (!resumed) ui.text.focus();
      loadInfo();
      loadRooms();
    },

    message(frame) {
      // Frames of the room before may still be on their way, and a resumed room may repeat what is shown.
      if (!joined || frame.room !== joined.room || frame.id <= joined.last) return;
      joined.last = frame.id;
      const item = settle(frame.key);
      list.confirm(frame, frame.nick === joined.nick, item && item.element);
      ui.empty.hidden = true;
    },

    members(frame) {
      if (!joined || frame.room !== joined.room) return;
      ui.members.replaceChildren(...frame.members.map((nick) => {
        const item = make("li", "");
        item.append(avatar(nick), make("span", "nick", nick));
        if (nick === joined.nick) item.append(make("span", "hint", "you"));
        return item;
      }));
      const inList = ui.rooms.querySelector("[aria-current] .hint");
      if (inList) inList.textContent = frame.members.length;
      const others = frame.members.length - 1;
      ui.others.textContent = others < 1 ? "nobody else is here" : others === 1 ? "1 other is here" : others + " others are here";
    },

    error(frame) {
      // One that may succeed later is kept: it can be sent again, and may even have arrived.
      const item = frame.retry ? find(frame.key) : settle(frame.key);
      if (item) {
        item.failed = true;
        list.refuse(item.element, frame.reason, frame.retry ? () => sendAgain(item) : null);
        return;
      }
      warn(frame.reason);
      // A join that was refused: we are still where we were.
      if (joined) asked = { room: joined.room, nick: joined.nick };
      if (frame.retry) {
        // After a reconnect we are nowhere yet, so even where we were must be joined again.
        joining = setTimeout(join, JOIN_AGAIN);
        return;
      }
      if (!joined) asked = null;
      ready = Boolean(joined);
      showPanel(true);
    },
  };

  function find(key) {
    return key && pending.find((candidate) => candidate.key === key);
  }

  function settle(key) {
    const item = find(key);
    if (item) pending = pending.filter((candidate) => candidate !== item);
    return item;
  }

  // --- the page around the messages ---------------------------------------------------------------------------------

  function showRoom() {
    ui.banner.hidden = true;
    ui.title.textContent = "#" + joined.room;
    ui.you.textContent = joined.nick;
    ui.room.value = joined.room;
    ui.nick.value = joined.nick;
    document.title = "#" + joined.room + " · chatapp";
    document.body.classList.add("joined");
    ui.empty.hidden = !list.empty;
    ui["empty-text"].textContent = "Nothing has been said in #" + joined.room + " yet. Say hello.";
    ui.text.disabled = ui.send.disabled = false;
    ui.text.placeholder = "Message #" + joined.room;
    ui["join-button"].textContent = "Change";
    history.replaceState(null, "", "?" + new URLSearchParams({ room: joined.room, nick: joined.nick }));
    storedNick(joined.nick);
  }

  // On narrow screens the panel covers the messages; on wide ones it always stands beside them.
  function showPanel(open) {
    document.body.classList.toggle("panel-closed", !open);
    ui["panel-toggle"].setAttribute("aria-expanded", String(open));
    ui["panel-toggle"].textContent = open ? "Back to chat" : "Details";
  }

  // The box grows with its text, up to the limit in the style sheet.
  function fitText() {
    ui.text.style.height = "auto";
    ui.text.style.height = ui.text.scrollHeight + 2 + "px";
  }

  function warn(text) {
    ui.banner.textContent = text;
    ui.banner.hidden = false;
  }

  let countdown = 0;
  function showState(state, detail) {
    clearInterval(countdown);
    ui.state.dataset.state = state;
    ui["state-text"].textContent = STATES[state] || detail;
    ui["state-countdown"].textContent = "";
    ui.reconnect.hidden = state !== "waiting" && state !== "stopped";
    if (state === "waiting") {
      // Outside the live region: a screen reader should hear of the wait once, not every second.
      const tick = () => {
        ui["state-countdown"].textContent = " in " + Math.max(1, Math.ceil((detail - Date.now()) / 1000)) + " s";
      };
      tick();
      countdown = setInterval(tick, 500);
    }
    ready = false;
    if (state === "connected") join();
  }

  /** Reads the nickname of the last visit, or keeps a new one. Storage may be forbidden; it is then typed again. */
  function storedNick(nick) {
    try {
      if (nick) localStorage.setItem("chatapp.nick", nick);
      return localStorage.getItem("chatapp.nick");
    } catch (error) {
      return null;
    }
  }

  // --- API ----------------------------------------------------------------------------------------------------------

  function askApi(path) {
    const base = window.chatapp.endpoints.api;
    if (!base) return Promise.reject(new Error("no api route"));
    return fetch(base.replace(/\/$/, "") + path).then((response) => {
      if (!response.ok) throw new Error(base + " answered " + response.status);
      return response.json();
    });
  }

  function loadInfo() {
    askApi("/info").then(
      (info) => { ui.api.textContent = info.name + " " + info.version + " on " + info.hostname; },
      (error) => { ui.api.textContent = error.message; });
  }

  function loadRooms() {
    askApi("/rooms").then((answer) => {
      const rooms = answer.rooms.sort((a, b) => b.members.length - a.members.length).slice(0, ROOMS_SHOWN);
      if (rooms.length) ui.rooms.replaceChildren(...rooms.map(roomItem));
    }, () => {}); // loadInfo has said what is wrong with the API
  }

  function roomItem(room) {
    const button = make("button", "quiet", "#" + room.name);
    button.type = "button";
    button.append(make("span", "hint", String(room.members.length)));
    button.setAttribute("aria-label", room.name + ", people: " + room.members.length);
    if (joined && joined.room === room.name) button.setAttribute("aria-current", "true");
    button.onclick = () => enter(room.name, ui.nick.value);
    const item = make("li", "");
    item.append(button);
    return item;
  }

  // --- start --------------------------------------------------------------------------------------------------------

  if (!window.chatapp) {
    warn("config/runtime.js was not served, so this page does not know where the chat is. Mount that file below the " +
      "page (the Helm chart does: runtimeConfig.enabled and runtimeConfig.files.js), then reload.");
    showState("stopped", "Not configured");
    ui.reconnect.hidden = ui.panel.hidden = ui.others.hidden = true;
    return;
  }

  connection = new Connection(() => {
    const address = window.chatapp.wsURI();
    ui.address.textContent = address;
    return address;
  }, { state: showState, frame: (frame) => take[frame.type](frame) });

  const query = new URLSearchParams(location.search);
  ui.nick.value = query.get("nick") || storedNick() || "guest-" + Math.floor(100 + Math.random() * 900);
  ui.room.value = query.get("room") || "lobby";
  if (query.get("nick") && query.get("room")) asked = { room: ui.room.value, nick: ui.nick.value };

  ui.join.addEventListener("submit", (event) => {
    event.preventDefault();
    enter(ui.room.value, ui.nick.value);
  });
  ui.composer.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = ui.text.value.trim();
    if (text) say(text);
    ui.text.value = "";
    fitText();
    ui.text.focus();
  });
  ui.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      ui.composer.requestSubmit();
    }
  });
  ui.text.addEventListener("input", fitText);
  ui.reconnect.addEventListener("click", () => connection.open());
  ui["panel-toggle"].addEventListener("click", () => showPanel(document.body.classList.contains("panel-closed")));

  connection.open();
  loadInfo();
  loadRooms();
  setInterval(() => {
    if (document.visibilityState === "visible") loadRooms();
  }, ROOMS_EVERY);
})();
