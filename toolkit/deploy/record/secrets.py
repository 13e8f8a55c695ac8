"""Secrets out of a value: those that toolkit.azure knows, and those that logs of systems hold besides.

Three ways to know one: by the name in front of it, by the form of the token itself, by the program whose argument it is. A text
without the hints of a pattern is not searched for it; what is removed in vain costs little, what stays is published.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from toolkit.azure.redaction import HIDDEN, redact

_BARE = r"(?!\[redacted\]|(?:true|false|null|none)\b)(?!Bearer\b)[^\s\"'\\,;&<>{}\[\]()|](?:[^\s\"',;&\\]|\\(?![\"']))*"
"""A value without quotes."""
_FOUR = r"(?=[^\s\"',;&]{4})"
_ARGUMENT = r"(?!\[redacted\]|-)[^\s\"'\\,;&<>{}\[\]()|]+"
_QUOTED = r"(?P<quote>\\{0,7}[\"'])(?:(?!(?P=quote)).){1,4096}"
"""A value in quotes, which may be escaped ones: JSON in a text, cut off or not."""
_STRONG = (
    r"[\w-]{0,40}(?:passw(?:or)?d|passphrase|passcode|secret(?:[_-]?access)?[_-]?key|client[_-]?secret|api[_-]?key|private[_-]?key"
    r"|(?:subscription|account|shared|access|master|function|signing|encryption)[_-]?key(?!\w)"
    r"|(?:access|session|refresh|auth|id|security|bearer|csrf|xsrf)[_-]?token|code[_-]?verifier)"
    r"|pwd|client-(?:key|certificate)-data|certificate-authority-data|x-(?:amz|goog)-signature|saml(?:response|request)|client[_-]assertion"
    r"|jsessionid|phpsessid|asp\.net_sessionid|\.aspxauth|connect\.sid|estsauth\w*|fedauth|rtfa|cf_clearance"
)
_WEAK = r"pass|secret|token|pin|otp|totp"
"""Words of prose, too: what stands behind them has to look like a value."""
_SEPARATOR = r"(?:\\{0,7}[\"'])?\s{0,3}(?:=>|:=|[:=]|%3[ad])\s{0,3}"
_TO_SEMICOLON = r"(?<=[=:])(?!\[redacted\])(?!Bearer\b)[^;\"'\r\n]{1,256}(?=;\s{0,3}[\w ]{1,40}=)"
"""The password of a connection string goes to the semicolon, blanks included."""
_PROGRAMS = (
    r"(?:psexec(?:64)?|sshpass|(?:az|docker)\s+login|mysql(?:dump|admin)?|winexe|smbclient|plink|pscp|sqlcmd|bcp|xfreerdp|rdesktop|winrs|wmic"
    r"|ldapsearch|crackmapexec|netexec)(?:\.exe)?"
)
_LINES = r"[A-Za-z0-9+/]{16,}(?:(?:\s|\\[rn])+[A-Za-z0-9+/]{40,})*(?:(?:[\r\n]|\\[rn])+[A-Za-z0-9+/]+)?={0,2}"
_USER_OPTION = r"(?:-u\s?|--(?:proxy-)?user[ =])"
_HOOKS = r"(?:hooks\.slack\.com|[\w.-]{0,80}webhook\.office\.com|discord(?:app)?\.com/api/webhooks)"
_STRONG_HINTS = (
    "passw passphrase passcode secret key token pwd -data signature saml assertion sessi .aspxauth connect.sid estsauth fedauth rtfa"
    " cf_clearance verifier"
)
_FORM_HINTS = (
    "gh github_pat_ xox aiza k_ whsec_ sk- hf_ gl npm_ pypi- dckr_ _v1_ dapi sg. hv ya29. gocspx- atatt3 q~ jqqj9 azdo fwogzx"
    " iqojb3jpz2lu tlrmtvntua yii b3blbnnzac1rzxkt mii ls0t"
)
_TOKENS = (
    r"gh[pousr]_\w{20,}",
    r"github_pat_\w{20,}",
    r"xox[abeprs]-[\w-]{10,}",
    r"AIza[\w-]{30,}",
    r"[srp]k_(?:live|test)_\w{16,}",
    r"whsec_[\w+/=]{20,}",
    r"sk-(?:proj-|ant-|svcacct-)?[\w-]{20,}",
    r"hf_\w{30,}",
    r"gl(?:pat|ptt|rt|dt|cbt|soat|ft)-[\w-]{18,}",
    r"npm_\w{30,}",
    r"pypi-[\w-]{40,}",
    r"dckr_pat_[\w-]{18,}",
    r"do[opr]_v1_\w{40,}",
    r"dapi[0-9a-f]{32}",
    r"SG\.[\w-]{16,32}\.[\w-]{16,64}",
    r"hv[sbr]\.[\w-]{20,}",
    r"ya29\.[\w-]{20,}",
    r"GOCSPX-[\w-]{20,}",
    r"ATATT3[\w=-]{20,}",
    r"[\w~.-]{3,8}\dQ~[\w~.-]{30,40}",  # an application's secret in Entra
    r"[A-Za-z0-9]{52}JQQJ9[A-Za-z0-9]{27}",  # a key of an Azure service
    r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",  # a token of Azure DevOps
    r"(?:FwoGZX|IQoJb3JpZ2lu)[\w+/=%]{20,}",  # a session of AWS
    r"TlRMTVNTUA[\w+/]{6,}={0,2}",  # NTLM
    r"YII[\w+/]{40,}={0,2}",  # Kerberos
    rf"(?:MII|LS0tLS1CRUdJTi|b3BlbnNzaC1rZXkt){_LINES}",  # a certificate or key
)
_HINTED: tuple[tuple[str, str, int], ...] = (
    # (hints in lower case, pattern, flags): the group `head` stays
    ("-----begin", r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL),
    ("cookie", r"(?P<head>\b(?:set-)?cookie2?(?:\\{0,7}[\"'])?\s*[:=]\s*(?:\\{0,7}[\"'])?)[^\r\n\"'\\]+", re.IGNORECASE),
    (
        "authorization",
        r"(?P<head>\b(?:proxy-)?authorization(?:\\{0,7}[\"'])?\s*[:=]\s*(?:\\{0,7}[\"'])?)(?!\[redacted\])[^\r\n\"'\\,{\[]+",
        re.IGNORECASE,
    ),
    ("digest", r"(?P<head>\bDigest\s+)(?=[^\r\n]{0,500}\b(?:nonce|response)=)[^\r\n]+", re.IGNORECASE),
    (_STRONG_HINTS, rf"(?P<head>(?<![\w-])(?:{_STRONG}){_SEPARATOR})(?:{_QUOTED}|{_TO_SEMICOLON}|{_BARE})", re.IGNORECASE | re.DOTALL),
    (
        "pass secret token pin otp",
        rf"(?P<head>(?<![\w-])(?:{_WEAK}){_SEPARATOR})(?:(?=[^\s\"',;&]{{4}}){_BARE}|{_QUOTED})",
        re.IGNORECASE | re.DOTALL,
    ),
    ("-pa -pw -to -se", rf"(?P<head>--?(?:password|passwd|pwd|pass|token|secret)\s+[\"']?){_ARGUMENT}", re.IGNORECASE),
    (
        "-p",
        rf"(?P<head>\b{_PROGRAMS}\s(?:[^\r\n|;]{{0,300}}?\s)?-{{1,2}}(?:pw|p)(?:\s+|(?=\w{{4}}))[\"']?){_ARGUMENT}",
        re.IGNORECASE,
    ),
    ("-u user", rf"(?P<head>\b(?:curl|wget)\b[^\r\n]{{0,500}}?\s{_USER_OPTION}[\"']?[^\s:\"']{{1,128}}:)[^\s\"']+", re.IGNORECASE),
    ("net", r"(?P<head>\bnet1?(?:\.exe)?\s+user\s+\S+\s+)(?!/)\S+", re.IGNORECASE),
    ("net", r"(?P<head>\bnet1?(?:\.exe)?\s+use\b[^\r\n]{0,200}?\\\\\S{1,260}\s+)(?!/)\S+", re.IGNORECASE),
    ("cmdkey schtasks", r"(?P<head>\b(?:cmdkey|schtasks)\b[^\r\n]{0,300}?\s/(?:pass:|rp\s+))\S+", re.IGNORECASE),
    ("securestring", r"(?P<head>ConvertTo-SecureString\s+(?:-String\s+)?)(?:[\"'][^\"'\r\n]+[\"']|[^\s\"'-]\S*)", re.IGNORECASE),
    ("from-literal", r"(?P<head>--from-literal[= ][\"']?[\w.-]{1,128}=)[^\s\"']+", re.IGNORECASE),
    ("aws4-hmac", r"AWS4-HMAC-SHA256[^\r\n\"']*", re.IGNORECASE),
    ("ntlm nego", r"(?P<head>\b(?:NTLM|Negotiate)\s+)[\w+/]{16,}={0,2}", re.IGNORECASE),
    (
        "sig code key token pass",
        r"(?P<head>(?:[?&]|%3F|%26)(?:sig|code|key|apikey|token|password|subscription-key)(?:=|%3D))(?!\[redacted\])(?:[^\s&\"'<>%]|%(?!26))+",
        re.IGNORECASE,
    ),
    ("://", r"(?P<head>\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@:\"']{0,128}:[^\s/@\"']{1,256}(?=@)", re.IGNORECASE),
    ("hooks webhook", rf"(?P<head>\bhttps?://{_HOOKS}/)[^\s\"'<>]+", re.IGNORECASE),
    ("$", r"\$(?:1|2[abxy]|5|6|7|y|argon2\w{0,3}|pbkdf2[\w-]{0,16}|scrypt)\$[^\s:\"',]{8,}", 0),
    ("eyj", r"(?:(?<![\w+/-])|(?<=%3[Dd])|(?<=%20))eyJ[\w+/-]{16,}(?:\.[\w-]*){0,4}={0,2}", 0),
    (":", r"(?<![\w:])[0-9A-Fa-f]{32}:[0-9A-Fa-f]{32}(?![\w:])", 0),  # the two hashes of a Windows password
    (_FORM_HINTS, rf"(?<![A-Za-z0-9+/])(?:{'|'.join(_TOKENS)})", 0),
)
_PATTERNS = tuple((tuple(hints.split()), re.compile(pattern, flags), "(?P<head>" in pattern) for hints, pattern, flags in _HINTED)
_REDACTED = (
    "bearer basic sharedkey sharedaccess eyj password secret token accesskey accountkey primarykey secondarykey sharedkey apikey api_key"
    " connectionstring authorization triggeruri sasuri sasurl storageuri 8q~ sig= code= key= sv= se= sp= st= skoid= sktid="
).split()
"""What `redact` of every error text looks for, which runs last."""
_SHORTEST_BARE = 18
"""A secret that stands alone, without a name in front of it, is no shorter."""
_PADDED = re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{43,}=")
_FORTY = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=_-])")
_LEAST_DIFFERENT = 18


def _without_aws_secret(match: re.Match[str]) -> str:
    """Forty characters of base64 as a whole word: an AWS secret key has letters of each case, and many different characters or,
    where it stands alone, + or /.

    A SHA-1 has one case and sixteen characters at most; a path in a text has no digits or few characters.
    """
    found = match[0]
    if not any(map(str.islower, found)) or not any(map(str.isupper, found)):
        return found
    alone = len(match.string) == len(found) and ("+" in found or "/" in found)
    return HIDDEN if alone or (any(map(str.isdigit, found)) and len(set(found)) >= _LEAST_DIFFERENT) else found


def without_secrets(text: str) -> tuple[str, int]:
    """The text without its secrets, and how many were removed."""
    if len(text) < _SHORTEST_BARE and "=" not in text and ":" not in text and " " not in text and "%" not in text:
        return text, 0
    lower = text.lower()
    found = text
    for hints, pattern, has_head in _PATTERNS:
        if any(map(lower.__contains__, hints)):
            found = pattern.sub(_headed if has_head else HIDDEN, found)
    if any(map(lower.__contains__, _REDACTED)) or ("=" in text and _PADDED.search(text)):
        found = redact(found)
    if len(text) >= 40:
        found = _FORTY.sub(_without_aws_secret, found)
    return (found, max(1, found.count(HIDDEN) - text.count(HIDDEN))) if found != text else (text, 0)


_Replace = Callable[[re.Match[str]], str]


def _headed(match: re.Match[str]) -> str:
    """The name stays, and so do the quotes."""
    quote = match.groupdict().get("quote") or ""
    return f"{match['head']}{quote}{HIDDEN}"
