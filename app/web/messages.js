/* The list of messages: what each looks like, in which order they stand, and whether the view follows them.
 *
 * new MessageList(list, scroller, newer): the <ol>, the element that scrolls, and the button that says there is more
 * below. Everything a person wrote goes in as textContent.
 */
(function () {
  "use strict";

  const GROUP_WITHIN = 300000; // ms between two messages of one person that still stand together
  const NEAR_BOTTOM = 80; // px from the end within which the view keeps following new messages

  function make(tag, className, text) {
    const element = document.createElement(tag);
    element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function avatar(nick) {
    const letters = Array.from(nick);
    const element = make("span", "avatar", letters[0].toUpperCase());
    element.setAttribute("aria-hidden", "true");
    element.style.setProperty("--hue", letters.reduce((hue, letter) => (hue * 31 + letter.codePointAt(0)) % 360, 7));
    return element;
  }

  class MessageList {
    constructor(list, scroller, newer) {
      this.list = list;
      this.scroller = scroller;
      this.newer = newer;
      this.following = true;
      scroller.addEventListener("scroll", () => {
        this.following = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < NEAR_BOTTOM;
        if (this.following) newer.hidden = true;
      });
      // A keyboard on the screen, or a message box that grows, must not cover what was just said.
      new ResizeObserver(() => {
        if (this.following) this.scrollDown();
      }).observe(scroller);
      newer.addEventListener("click", () => this.scrollDown());
    }

    get empty() {
      return !this.list.querySelector("[data-testid=message]");
    }

    /** Starts over, with these messages still being sent. */
    reset(unsent) {
      this.list.textContent = "";
      unsent.forEach((element) => this.list.append(element));
      this.scrollDown();
    }

    /** A message of one's own that the server has not confirmed; the returned element goes to `confirm` or `refuse`. */
    send(nick, text) {
      const element = this.row(nick, text, true, new Date());
      element.classList.add("pending");
      element.querySelector(".meta").textContent = "sending…";
      this.list.append(element);
      this.group(element);
      this.scrollDown();
      return element;
    }

    /** A message from the server, in the order of ids; `element` is the one that was waiting for it, if any. */
    confirm(message, mine, element) {
      const time = new Date(message.at);
      const row = element || this.row(message.nick, message.text, mine, time);
      const clock = make("time", "", time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
      clock.dateTime = message.at;
      clock.title = time.toLocaleString();
      row.querySelector(".meta").replaceChildren(clock);
      row.dataset.id = message.id;
      row.classList.remove("pending", "refused");
      this.place(row);
      if (element || this.following) this.scrollDown();
      else this.newer.hidden = false;
    }

    /** Says why it was not sent; `again` is called when the user wants to try once more, null when that is no use. */
    refuse(element, reason, again) {
      element.classList.replace("pending", "refused");
      const meta = element.querySelector(".meta");
      meta.textContent = "not sent: " + reason;
      if (!again) return;
      const button = make("button", "quiet", "Try again");
      button.type = "button";
      button.onclick = again;
      meta.append(" ", button);
    }

    /** One that was refused is on its way again. */
    resend(element) {
      const next = element.nextElementSibling;
      element.classList.replace("refused", "pending");
      element.querySelector(".meta").textContent = "sending…";
      this.list.append(element);
      this.group(element);
      this.group(next);
      this.scrollDown();
    }

    note(text) {
      this.place(make("li", "note", text));
    }

    /** Confirmed ones stand before those still being sent. */
    place(element) {
      this.list.insertBefore(element, this.list.querySelector(".pending"));
      this.group(element);
      this.group(element.nextElementSibling);
    }

    /** Someone's second message in a row does not show the name and the avatar again. */
    group(element) {
      if (!element || !element.dataset.nick) return;
      const before = element.previousElementSibling;
      const same = Boolean(before) && before.dataset.nick === element.dataset.nick;
      element.classList.toggle("follows", same && element.dataset.time - before.dataset.time < GROUP_WITHIN);
    }

    row(nick, text, mine, time) {
      const element = make("li", mine ? "message mine" : "message");
      element.dataset.testid = "message";
      element.dataset.nick = nick;
      element.dataset.time = time.getTime();
      const body = make("div", "body");
      body.append(make("span", "nick", nick), make("p", "text", text), make("span", "meta"));
      element.append(avatar(nick), body);
      return element;
    }

    scrollDown() {
      this.scroller.scrollTop = this.scroller.scrollHeight;
      this.following = true;
      this.newer.hidden = true;
    }
  }

  window.MessageList = MessageList;
  window.make = make;
  window.avatar = avatar;
})();
