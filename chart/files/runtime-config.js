/* Written by the Helm chart chatapp from the release's values. Plain ES5, to run before the page's own scripts. */
(function (config) {
  "use strict";

  function freeze(value) {
    if (Object(value) === value) {
      Object.keys(value).forEach(function (key) { freeze(value[key]); });
      Object.freeze(value);
    }
    return value;
  }

  /* The WebSocket URL of a route, as seen from this page: wsURI(), wsURI("ws", "rooms/1"), wsURI("ws", "?room=1").
     The suffix follows the endpoint: a query (it starts with "?") at once, anything else after exactly one slash. */
  function wsURI(route, suffix) {
    var name = route === undefined ? "ws" : String(route);
    var rest = suffix === undefined ? "" : String(suffix);
    if (!Object.prototype.hasOwnProperty.call(config.endpoints, name)) {
      throw new Error("chatapp has no route \"" + name + "\"; its routes are: " +
        (Object.keys(config.endpoints).join(", ") || "none") + ".");
    }
    var endpoint = config.endpoints[name];
    if (endpoint.charAt(0) === "/") {
      endpoint = (location.protocol === "https:" ? "wss://" : "ws://") + location.host + endpoint;
    }
    if (rest !== "" && rest.charAt(0) !== "?") {
      endpoint = endpoint.replace(/\/$/, "") + "/";
      rest = rest.replace(/^\/+/, "");
    }
    return endpoint.replace(/^http/, "ws") + rest;
  }

  function resolve(url, refusal) {
    try {
      return new URL(url, document.baseURI).href.replace(/^http/, "ws");
    } catch (ignored) {
      throw refusal;
    }
  }

  /* Browsers from before 2024 throw SyntaxError at a relative or http(s) URL. The browser's own constructor is tried
     first, so newer ones never notice; a constructor that throws has sent nothing, so trying again is safe. */
  function acceptRelativeURLs(NativeWebSocket) {
    return new Proxy(NativeWebSocket, {
      construct: function (target, args, newTarget) {
        try {
          return Reflect.construct(target, args, newTarget);
        } catch (error) {
          if (error.name !== "SyntaxError" || args.length === 0) { throw error; }
          return Reflect.construct(target, [resolve(args[0], error)].concat(args.slice(1)), newTarget);
        }
      }
    });
  }

  if (config.polyfill && window.Proxy) { window.WebSocket = acceptRelativeURLs(window.WebSocket); }
  window[config.globalName] = freeze({
    endpoints: config.endpoints,
    env: config.env,
    extra: config.extra,
    wsURI: wsURI
  });
}(__CONFIG__));
