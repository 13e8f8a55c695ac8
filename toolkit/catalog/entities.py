"""Entity types of Sentinel: their identifiers and which of them make an entity."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EntityType:
    """`required` holds sets of identifiers; a mapping has to fill at least one set completely."""

    name: str
    required: tuple[frozenset[str], ...]
    identifiers: tuple[str, ...]


def _entity(name: str, required: str, others: str = "") -> EntityType:
    """`required`: alternatives separated by blanks, identifiers of one set joined by +."""
    sets = tuple(frozenset(part.split("+")) for part in required.split())
    names = [*required.replace("+", " ").split(), *others.split()]
    return EntityType(name, sets, tuple(dict.fromkeys(names)))


_TYPES = (
    _entity(
        "Account",
        "FullName Sid Name AadUserId PUID ObjectGuid",
        "NTDomain DnsDomain UPNSuffix AadTenantId IsDomainJoined DisplayName CloudAppAccountId IsAnonymized Stream",
    ),
    _entity("Host", "FullName HostName NetBiosName AzureID OMSAgentID", "DnsDomain NTDomain OSFamily OSVersion IsDomainJoined"),
    _entity("IP", "Address", "AddressScope"),
    _entity("URL", "Url"),
    _entity("File", "Name", "Directory"),
    _entity("FileHash", "Algorithm+Value"),
    _entity("Process", "CommandLine ProcessId", "CreationTimeUtc ElevationToken"),
    _entity("DNS", "DomainName"),
    _entity("AzureResource", "ResourceId"),
    _entity("CloudApplication", "AppId Name", "InstanceName"),
    _entity("Mailbox", "MailboxPrimaryAddress", "DisplayName Upn ExternalDirectoryObjectId RiskLevel"),
    _entity(
        "MailCluster",
        "Query Source",
        "NetworkMessageIds CountByDeliveryStatus CountByThreatType CountByProtectionStatus Threats "
        "QueryTime MailCount IsVolumeAnomaly ClusterSourceIdentifier ClusterSourceType ClusterQueryStartTime ClusterQueryEndTime "
        "ClusterGroup",
    ),
    _entity(
        "MailMessage",
        "NetworkMessageId Recipient",
        "Urls Threats Sender P1Sender P1SenderDisplayName P1SenderDomain SenderIP "
        "P2Sender P2SenderDisplayName P2SenderDomain ReceivedDate InternetMessageId Subject BodyFingerprintBin1 BodyFingerprintBin2 "
        "BodyFingerprintBin3 BodyFingerprintBin4 BodyFingerprintBin5 AntispamDirection DeliveryAction DeliveryLocation Language "
        "ThreatDetectionMethods",
    ),
    _entity(
        "SubmissionMail", "SubmissionId NetworkMessageId Recipient Submitter", "SubmissionDate Timestamp Sender SenderIp Subject ReportType"
    ),
    _entity("Malware", "Name", "Category"),
    _entity("RegistryKey", "Key Hive"),
    _entity("RegistryValue", "Name", "Value ValueType"),
    _entity("SecurityGroup", "DistinguishedName SID ObjectGuid"),
)

ENTITY_TYPES: dict[str, EntityType] = {kind.name: kind for kind in _TYPES}
"""Every type that an analytics rule can map to, by the service's spelling."""

GENERIC_ACCOUNTS = frozenset(
    {
        "ADMIN",
        "ADMINISTRATOR",
        "SYSTEM",
        "ROOT",
        "ANONYMOUS",
        "AUTHENTICATED USER",
        "NETWORK",
        "NULL",
        "LOCAL SYSTEM",
        "LOCALSYSTEM",
        "NETWORK SERVICE",
    }
)
"""Account names that the service drops, in upper case (S-54)."""
