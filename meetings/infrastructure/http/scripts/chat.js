/* Shows a person and the link to their page, on any web site:

   <script async src="https://meet.example.com/chat.js" data-widget-key="..." data-agent-id="..."></script>

   data-into: a CSS selector of the element to show it in; left out, it floats at the lower right.
   data-language: `en` or `de`; left out, that of the page.
   What it is told becomes text nodes, never markup. It sets no cookie and sends none. */
(function () {
  "use strict";

  var WORDS = {
    en: { next: "Next free time: ", opens: "opens in a new tab" },
    de: { next: "Nächste freie Zeit: ", opens: "öffnet sich in einem neuen Tab" }
  };
  var FLOATING = {
    position: "fixed", right: "16px", bottom: "16px", zIndex: "2147483000", maxWidth: "280px",
    background: "#fff", boxShadow: "0 2px 12px rgba(0, 0, 0, .25)"
  };
  var BOX = {
    display: "flex", gap: "12px", alignItems: "center", padding: "12px 16px", borderRadius: "12px", color: "#222",
    font: "14px/1.4 system-ui, sans-serif", textAlign: "left"
  };
  var PICTURE = { width: "44px", height: "44px", borderRadius: "50%", objectFit: "cover", flex: "none" };

  var script = document.currentScript;
  var given = script ? script.dataset : {};
  if (!given.widgetKey || !given.agentId) return;
  var language = given.language || document.documentElement.lang || navigator.language || "en";
  var words = WORDS[language.slice(0, 2).toLowerCase()] || WORDS.en;
  var question = new URL("chat/link", script.src);
  question.searchParams.set("key", given.widgetKey);
  question.searchParams.set("agent", given.agentId);

  fetch(question, { credentials: "omit", referrerPolicy: "no-referrer" })
    .then(function (answer) { return answer.ok ? answer.json() : {}; })
    .then(function (told) { if (told.link) whenReady(function () { show(told.link); }); })
    .catch(function () { /* a site goes on without it */ });

  function whenReady(then) {
    if (document.readyState !== "loading") then();
    else document.addEventListener("DOMContentLoaded", then);
  }

  function show(link) {
    var address = webAddress(link.url);
    var place = given.into ? document.querySelector(given.into) : document.body;
    if (!address || !place) return;
    var box = element("aside", "meetings-chat", BOX, given.into ? {} : FLOATING);
    var picture = webAddress(link.agentAvatarUrl);
    if (picture) {
      var image = element("img", "meetings-chat-picture", PICTURE);
      image.alt = "";
      image.referrerPolicy = "no-referrer";
      image.src = picture;
      box.appendChild(image);
    }
    var side = element("div", "meetings-chat-words");
    side.appendChild(element("div", "meetings-chat-name", { fontWeight: "600" }, {}, link.agentName));
    var anchor = element("a", "meetings-chat-link", { color: "#0b57d0" }, {}, link.text);
    anchor.href = address;
    anchor.target = "_blank";
    anchor.rel = "noopener";
    anchor.title = words.opens;
    side.appendChild(anchor);
    if (link.nextAvailable) {
      side.appendChild(element("div", "meetings-chat-next", { color: "#555", fontSize: "12px" }, {},
        words.next + inWords(link.nextAvailable.start)));
    }
    box.appendChild(side);
    place.appendChild(box);
  }

  function element(kind, name, style, more, text) {
    var made = document.createElement(kind);
    made.className = name;
    Object.assign(made.style, style, more);
    if (text) made.appendChild(document.createTextNode(text));
    return made;
  }

  function webAddress(text) {
    try {
      var address = new URL(text);
      return /^https?:$/.test(address.protocol) ? address.href : null;
    } catch (error) {
      return null;
    }
  }

  function inWords(instant) {
    var shown = { weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" };
    try {
      return new Intl.DateTimeFormat(words === WORDS.en && !/^en/i.test(language) ? "en" : language, shown).format(new Date(instant));
    } catch (error) {
      return new Date(instant).toLocaleString();
    }
  }
})();
