/* The team's front end, as a bundler would leave it: it knows no host and no path, and asks window._env_ for both. */
(function (settings) {
  "use strict";
  if (!settings) { return; }

  function element(id) { return document.getElementById(id); }

  fetch(settings.env.API_URL + "/about")
    .then(function (answer) { return answer.json(); })
    .then(function (about) { element("api").textContent = about.name; });

  function connect() {
    var socket = new WebSocket(settings.wsURI());
    socket.onopen = function () { element("state").textContent = "connected"; };
    socket.onmessage = function (event) {
      element("messages").appendChild(document.createElement("li")).textContent = event.data;
    };
    socket.onclose = function () {
      element("state").textContent = "waiting";
      setTimeout(connect, 500 + 1500 * Math.random());
    };
    element("form").onsubmit = function (event) {
      event.preventDefault();
      if (socket.readyState !== WebSocket.OPEN) { return; }
      socket.send(element("text").value);
      element("text").value = "";
    };
  }

  connect();
}(window._env_));
