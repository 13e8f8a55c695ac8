"""What the name of a column or of a JSON property says about its values."""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache


class Field(Enum):
    """What a field holds. OPEN says nothing: then only the values themselves tell."""

    OPEN = "open"
    NAME = "name"
    HOST = "host"
    MAC = "mac"
    PHONE = "phone"
    SECRET = "secret"  # noqa: S105  # the name of a kind
    AUTHORIZATION = "authorization"
    """A header with a credential; or an object that says what was authorized, which is looked into."""
    AGENT = "agent"
    WORD = "word"
    """A closed vocabulary: learned names are not looked for in it."""


_SUFFIX = re.compile(r"_(?:s|g|d|b|t)$")
_SEPARATORS = re.compile(r"[\W_]")

_NAMES = re.compile(
    r".*(?:userprincipalname|upn|username|useraccount|accountname|samaccountname|logonname|loginname|useremail|emailaddress|mailaddress"
    r"|userdisplayname|accountdisplayname|principalname|principalemail|principalid|accountid|ownerid|awsaccount|accountnumber|mailbox"
    r"|mailboxowner|mailboxownerupn|userid|rolesessionname|bucketname|storageaccount|vaultname|workspacename|clustername)"
    r"|user|users|account|caller|identity|actor|login|requestor|requester|requestedby|initiator|initiatedby|createdby|modifiedby"
    r"|lastmodifiedby|updatedby|changedby|approvedby|assignedto|assignee|owner|owners|member|members|membername|groups|groupname"
    r"|sender|recipient|recipients|senderaddress|recipientaddress|senderfromaddress|sendermailfromaddress|recipientemailaddress"
    r"|targetuser|sourceuser|suser|duser|subjectuser|remoteuser|firstname|lastname|givenname|surname|fullname|nickname|employeeid"
    r"|rolename|resourcegroup|resourcegroupname|databasename|subscriptionname|subscriptiondisplayname|tenantname"
    r"|managementgroupname|logicalservername|sqlinstancename|organization|organizationname|companyname|company|department"
)
_TOP_NAMES = frozenset(("resource", "principal"))
"""Columns that are names; JSON properties of this name are something else (`objectRef.resource` is a type)."""
_HOSTS = re.compile(
    r".*(?:hostname|computername|computer|machinename|workstation|workstationname|devicename|nodename|servername|fqdn|dnsname"
    r"|domain|domainname|upnsuffix|ntdomain|queryname|dnsquery)"
    r"|host|hosts|machine|node|device|shost|dhost|server|remotehost|sourcehost|destinationhost|srchost|dsthost|vmname|virtualmachine"
)
_SECRETS = re.compile(
    r".*(?:passw(?:or)?d(?:hash|text|value)?|passphrase|passcode|clientsecret|secretkey|secretaccesskey|secretvalue|privatekey|accesstoken|refreshtoken|sessiontoken"
    r"|idtoken|bearertoken|apikey|accountkey|sharedkey|primarykey|secondarykey|sharedaccesskey|sharedaccesssignature|connectionstring"
    r"|authtoken|securitytoken|csrftoken|xsrftoken|subscriptionkey|masterkey|functionkey|signingkey|encryptionkey|storagekey|sharedsecret"
    r"|amzsignature|googsignature|samlresponse|codeverifier|recoverycode|webhookurl"
    r"|sastoken|sasuri|sasurl|clientkeydata|clientcertificatedata|certificateauthoritydata|cabundle|kubeconfig|triggeruri|storageuri)"
    r"|pwd|pass|pin|otp|totp|jwt|secret|token|proxyauthorization|cookie|cookies|setcookie|credentials|pem|pfx|certificate"
    r"|xapikey|xamzsecuritytoken|clientassertion"
)
_WORDS = frozenset(
    (
        "type sourcesystem category categoryvalue operationname operationnamevalue eventname eventsource eventtypename level severity"
        " resulttype resultsignature verb stage status activitystatus activitystatusvalue eventid activity action actiontype"
        " provider resourceprovider resourcetype kind apiversion apigroup subresource method protocol"
        " eventcategory logname channel awsregion region location eventversion useridentitytype"
    ).split()
)


@lru_cache(maxsize=65_536)
def field_of(name: str, *, column: bool = False) -> Field:
    """What values under this name are. `column`: it is a column's name, not that of a property inside a value."""
    plain = _SEPARATORS.sub("", _SUFFIX.sub("", name)).lower()
    if plain.endswith(("useragent", "useragents", "useragentoriginal", "useragentheader")):
        return Field.AGENT
    if plain == "authorization":
        return Field.AUTHORIZATION
    if _SECRETS.fullmatch(plain):
        return Field.SECRET
    if plain in _WORDS:
        return Field.WORD
    if _NAMES.fullmatch(plain) or (column and plain in _TOP_NAMES):
        return Field.NAME
    if _HOSTS.fullmatch(plain):
        return Field.HOST
    if plain.endswith(("macaddress", "macaddr")) or plain == "mac":
        return Field.MAC
    if re.fullmatch(r".*(?:phone|phonenumber|mobile|telephone|fax)(?:number)?", plain):
        return Field.PHONE
    return Field.OPEN


_DOUBTFUL = re.compile(
    r".*(?:displayname|city|subject|title|comment|comments|note|notes|description|message|address|nickname|text|body|latitude|longitude"
    r"|state|postalcode|street|label|labels|tags)"
)


def is_doubtful(name: str) -> bool:
    """Whether fields of this name often hold names or places of people in free text."""
    return _DOUBTFUL.fullmatch(_SEPARATORS.sub("", _SUFFIX.sub("", name)).lower()) is not None
