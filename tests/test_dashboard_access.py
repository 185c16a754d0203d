# This file is part of qa.
#
# Developed for the LSST Data Management System.
# See the COPYRIGHT file at the top-level directory of this distribution
# for details of code ownership.
#
# This program is free software: you can redistribute it and/or modify
# it under the terms of the GNU General Public License as published by
# the Free Software Foundation, either version 3 of the License, or
# (at your option) any later version.
#
# This program is distributed in the hope that it will be useful,
# but WITHOUT ANY WARRANTY; without even the implied warranty of
# MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
# GNU General Public License for more details.
#
# You should have received a copy of the GNU General Public License
# along with this program.  If not, see <https://www.gnu.org/licenses/>.

from __future__ import annotations

import hashlib
import re
import tempfile
import time
import unittest
import unittest.mock
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from support_dashboard import Browser

from lsst.qa.dashboard.guard import Buckets
from lsst.qa.dashboard.settings import Settings, Token, networks, read_tokens
from lsst.qa.errors import InputError
from lsst.qa.store.database import connect

READ, WRITE = "may-only-read-this", "may-write-here-too"
TOKENS = tuple(
    Token(name, name == "writer", hashlib.sha256(word.encode()).digest())
    for name, word in (("reader", READ), ("writer", WRITE))
)
COOKIE = re.compile(r"qa_session=([^;]+)")


class AccessTestCase(unittest.TestCase):
    """Who may read, and who may write."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.engine = connect(str(Path(folder.name) / "qa.sqlite3"), create=True)
        self.addCleanup(self.engine.dispose)
        self.notes: list[tuple[str, Mapping[str, str]]] = []

    def browser(self, **settings: Any) -> Browser:
        """Return a browser of a site on which one may write."""
        browser = Browser(self.engine, **settings)

        @browser.site.action("/test/note")
        def note(request: Request, who: str, form: Mapping[str, str]) -> Response:
            self.notes.append((who, form))
            return browser.site.go(browser.site.links.page("runs"))

        return browser

    def sign_in(self, browser: Browser, word: str) -> str:
        answer = browser.post("/sign-in", {"token": word})
        self.assertEqual((answer.status_code, answer.headers["location"]), (303, "/"), answer.text)
        cookie = answer.headers["set-cookie"]
        for part in ("HttpOnly", "SameSite=strict", "Path=/"):
            self.assertIn(part, cookie)
        self.assertNotIn(word, cookie)
        return f"qa_session={COOKIE.search(cookie)[1]}"

    def form_token(self, browser: Browser, **headers: str) -> str:
        """Return the form token that this user's pages hold."""

        class Asked:
            state = type("State", (), {})()

        Asked.state.identity = browser.site.access.identify(
            Request(
                {
                    "type": "http",
                    "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
                    "client": ("10.0.0.7", 1),
                }
            )
        )
        return re.search('value="([^"]+)"', browser.site.about(Asked)["form_token"]())[1]

    def test_open_to_readers_and_closed_to_writers(self) -> None:
        browser = self.browser()
        self.assertEqual(browser.get("/").status_code, 200)
        self.assertEqual(browser.post("/test/note", {"text": "x"}).status_code, 401)
        self.assertIn("nobody may start jobs", browser.get("/sign-in").text)
        self.assertEqual(self.notes, [])

    def test_tokens(self) -> None:
        browser = self.browser(tokens=TOKENS)
        for word, status in ((READ, 403), ("", 401), ("wrong" * 5, 401), (WRITE + "x", 401), ("ü", 401)):
            answer = browser.post("/test/note", {}, authorization=f"Bearer {word}".encode())
            self.assertEqual(answer.status_code, status, word)
        self.assertEqual(browser.post("/test/note", {}, authorization=f"Basic {WRITE}").status_code, 401)
        answer = browser.post("/test/note", {"text": "a"}, authorization=f"Bearer {WRITE}")
        self.assertEqual((answer.status_code, answer.headers["location"]), (303, "/runs"))
        self.assertEqual(self.notes, [("writer", {"text": "a"})])

    def test_who_does_what_is_logged_and_no_token(self) -> None:
        browser = self.browser(tokens=TOKENS)
        with self.assertLogs("lsst.qa.dashboard", "INFO") as logged:
            browser.post("/test/note", {}, authorization=f"Bearer {WRITE}")
            browser.post("/test/note", {}, authorization=f"Bearer {READ}")
            browser.get("/runs/a%0Ab", authorization="Bearer wrong-wrong-wrong")
            browser.post("/sign-in", {"token": "wrong-wrong-wrong"})
        self.assertIn("'writer' is let to POST '/test/note'", logged.output[0])
        self.assertIn("127.0.0.1 is not let to POST '/test/note': reader may read", logged.output[1])
        self.assertEqual(len(logged.output), 4)
        for word in (READ, WRITE, "wrong-wrong", "\n"):
            self.assertNotIn(word, "".join(logged.output))

    def test_private(self) -> None:
        browser = self.browser(tokens=TOKENS, private=True)
        for path in ("/", "/runs/static/x", "/runs/sign-in", "/index.json", "/sign-in.json", "/static"):
            self.assertEqual(browser.get(path).status_code, 401, path)
        self.assertEqual(browser.get("/sign-in").status_code, 200)
        self.assertEqual(browser.get("/static/qa.css").status_code, 200)
        self.assertEqual(browser.get("/", authorization=f"Bearer {READ}").status_code, 200)
        self.assertEqual(browser.get("/", cookie=self.sign_in(browser, READ)).status_code, 200)
        with self.assertRaisesRegex(InputError, "Nobody could read"):
            Settings(private=True)

    def test_session(self) -> None:
        browser = self.browser(tokens=TOKENS)
        cookie = self.sign_in(browser, WRITE)
        self.assertIn(">writer</a>", browser.get("/", cookie=cookie).text)
        token = self.form_token(browser, cookie=cookie)
        form = {"text": "a", "form_token": token}
        for headers in ({}, {"origin": "http://localhost"}, {"sec-fetch-site": "same-origin"}):
            self.assertEqual(browser.post("/test/note", form, cookie=cookie, **headers).status_code, 303)
        self.assertEqual(self.notes, [("writer", {"text": "a"})] * 3)

    def test_forged_requests(self) -> None:
        browser = self.browser(tokens=TOKENS)
        cookie = self.sign_in(browser, WRITE)
        later = time.time() + 1
        with unittest.mock.patch("lsst.qa.dashboard.access.time.time", return_value=later):
            other = self.form_token(browser, cookie=self.sign_in(browser, WRITE))
        token = self.form_token(browser, cookie=cookie)
        good = {"form_token": token}
        for form, headers in (
            ({}, {}),
            ({"form_token": other}, {}),
            ({"form_token": token[:-1]}, {}),
            (good, {"origin": "http://evil.example"}),
            (good, {"origin": "null"}),
            (good, {"origin": "http://localhost:81"}),
            (good, {"sec-fetch-site": "cross-site"}),
            (good, {"sec-fetch-site": "same-site"}),
        ):
            with self.subTest(form=form, headers=headers):
                self.assertEqual(browser.post("/test/note", form, cookie=cookie, **headers).status_code, 403)
        answer = browser.post("/sign-in", {"token": WRITE}, origin="http://evil.example")
        self.assertEqual(answer.status_code, 403)
        self.assertEqual(self.notes, [])

    def test_forged_sessions(self) -> None:
        browser = self.browser(tokens=TOKENS, private=True)
        cookie = self.sign_in(browser, READ)
        strange = self.sign_in(self.browser(tokens=TOKENS), READ)
        held, _, signature = cookie.partition(".")
        for forged in (strange, cookie[:-1], f"{held}00.{signature}", held, "qa_session=.", "qa_session=é.a"):
            self.assertEqual(browser.get("/", cookie=forged.encode()).status_code, 401, forged)
        late = time.time() + 13 * 3600
        with unittest.mock.patch("lsst.qa.dashboard.access.time.time", return_value=late):
            self.assertEqual(browser.get("/", cookie=cookie).status_code, 401)

    def test_sign_in_and_out(self) -> None:
        browser = self.browser(tokens=TOKENS)
        self.assertEqual(browser.post("/sign-in", {"token": "wrong"}).status_code, 401)
        self.assertEqual(browser.post("/sign-in", {}).status_code, 401)
        out = browser.post("/sign-out", {}, cookie=self.sign_in(browser, READ))
        self.assertIn("Max-Age=0", out.headers["set-cookie"])
        secure = browser.post("/sign-in", {"token": READ}, x_forwarded_proto="https")
        self.assertIn("Secure", secure.headers["set-cookie"])

    def test_proxy(self) -> None:
        user = {"x_auth_request_user": "ana"}
        trusted = {"proxies": networks(["10.0.0.0/24"])}
        for client, settings in (("10.0.0.7", {}), ("10.0.1.7", trusted), ("127.0.0.1", trusted)):
            browser = self.browser(client=client, **settings)
            self.assertEqual(browser.post("/test/note", {}, **user).status_code, 401)
            told = browser.post(
                "/test/note", {}, **user, x_forwarded_for="10.0.0.7", forwarded="for=10.0.0.7"
            )
            self.assertEqual(told.status_code, 401)
        browser = self.browser(client="10.0.0.7", **trusted)
        self.assertEqual(browser.post("/test/note", {}, **user).status_code, 403)
        token = {"form_token": self.form_token(browser, **{"x-auth-request-user": "ana"})}
        self.assertEqual(browser.post("/test/note", token, **user).status_code, 303)
        self.assertEqual(browser.post("/test/note", token, x_auth_request_user="eve").status_code, 403)
        self.assertEqual(browser.get("/", x_auth_request_user="a" * 201).status_code, 401)
        self.assertEqual(self.notes, [("ana", {})])
        with self.assertRaisesRegex(InputError, "trusted proxy"):
            networks(["proxy.example"])

    def test_host(self) -> None:
        browser = self.browser(hosts=("qa.example",))
        for host in (
            "localhost",
            "LOCALHOST:8765",
            "127.0.0.1:1",
            "[::1]:8765",
            "qa.example",
            "qa.example:443",
        ):
            self.assertEqual(browser.get("/", host=host).status_code, 200, host)
        for host in (
            "evil.example",
            "",
            "localhost.evil.example",
            "evil.example:8765",
            "[::2]",
            "qa.example.",
        ):
            answer = browser.get("/index.json", host=host)
            self.assertEqual((answer.status_code, answer.json()["error"]["code"]), (421, "host"), host)

    def test_sizes(self) -> None:
        browser = self.browser(tokens=TOKENS, body_limit=100)
        allowed = {"authorization": f"Bearer {WRITE}"}
        self.assertEqual(browser.post("/test/note", {"text": "a" * 50}, **allowed).status_code, 303)
        self.assertEqual(browser.post("/test/note", {"text": "a" * 200}, **allowed).status_code, 413)
        self.assertEqual(browser.get("/", content_length="-1").status_code, 413)
        self.assertEqual(
            browser.post("/test/note", {str(k): "" for k in range(20)}, **allowed).status_code, 303
        )

        async def unsized() -> Any:
            for _ in range(30):
                yield b"text=aaaaa"

        kind = "application/x-www-form-urlencoded"
        self.assertEqual(
            browser.send("POST", "/test/note", unsized(), content_type=kind, **allowed).status_code, 413
        )

    def test_not_a_form(self) -> None:
        browser = self.browser(tokens=TOKENS)
        for kind in ("application/json", "multipart/form-data", "text/plain"):
            answer = browser.send(
                "POST", "/test/note", b"{}", content_type=kind, authorization=f"Bearer {WRITE}"
            )
            self.assertEqual(answer.status_code, 422)
        kind = "application/x-www-form-urlencoded; charset=utf-8"
        for body in (b"\xff", b"&".join(b"a=1" for _ in range(200))):
            answer = browser.send(
                "POST", "/test/note", body, content_type=kind, authorization=f"Bearer {WRITE}"
            )
            self.assertEqual(answer.status_code, 422)

    def test_kept_pages_are_of_who_asked(self) -> None:
        browser = self.browser(tokens=TOKENS)
        cookie = self.sign_in(browser, WRITE)
        for _ in range(2):
            self.assertIn(">writer</a>", browser.get("/", cookie=cookie).text)
            self.assertIn(">Sign in</a>", browser.get("/").text)
            self.assertIn(">reader</a>", browser.get("/", authorization=f"Bearer {READ}").text)

    def test_rates(self) -> None:
        browser = self.browser(rate=1.0)
        codes = [browser.get("/static/icon.svg").status_code for _ in range(15)]
        self.assertEqual((codes[:10], codes[-1]), ([200] * 10, 429))
        self.assertIn("retry-after", browser.get("/").headers)


class BucketsTestCase(unittest.TestCase):
    """How much is too much."""

    def test_refilled(self) -> None:
        buckets = Buckets(2.0)
        self.assertEqual([buckets.take("a", 0.0) for _ in range(20)], [0.0] * 20)
        self.assertEqual(buckets.take("a", 0.0), 0.5)
        self.assertEqual(buckets.take("b", 0.0), 0.0)
        self.assertEqual(buckets.take("a", 0.5), 0.0)
        self.assertGreater(buckets.take("a", 0.5), 0.0)
        self.assertEqual([buckets.take("a", 1e3) for _ in range(20)], [0.0] * 20)
        self.assertGreater(buckets.take("a", 1e3), 0.0)

    def test_bounded(self) -> None:
        buckets = Buckets(1.0)
        for k in range(10_000):
            buckets.take(str(k), 0.0)
        self.assertLess(len(buckets._held), 5000)


class TokensTestCase(unittest.TestCase):
    """The file of tokens."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = Path(folder.name) / "tokens"

    def written(self, text: str, mode: int = 0o600) -> str:
        self.file.write_text(text)
        self.file.chmod(mode)
        return str(self.file)

    def test_read(self) -> None:
        found = read_tokens(self.written(f"# who may\n\nreader read {READ}\nwriter write {WRITE}\n"))
        self.assertEqual(found, TOKENS)
        self.assertNotIn(found[0].digest.hex()[:8], repr(found))

    def test_refused(self) -> None:
        for text, expected in (
            (f"ana write {WRITE} more\nana {WRITE}", "line 1 is not .*; line 2 is not"),
            ("ana all " + WRITE, "line 1 is not"),
            ("ana write short", "line 1 has fewer than 16"),
            ("# none", "no token"),
        ):
            with self.assertRaisesRegex(InputError, expected) as caught:
                read_tokens(self.written(text))
            self.assertNotIn(WRITE, str(caught.exception))
        with self.assertRaisesRegex(InputError, "chmod 600"):
            read_tokens(self.written(f"ana read {READ}", 0o644))
        with self.assertRaisesRegex(InputError, "cannot be read"):
            read_tokens(str(self.file.with_name("none")))


if __name__ == "__main__":
    unittest.main()
