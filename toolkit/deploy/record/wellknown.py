"""What stays as it is because it names nobody and rules compare with it."""

from __future__ import annotations

import re

KEPT_NAMES = frozenset(
    (
        # Windows
        "system root administrator administrators guest guests everyone krbtgt defaultaccount wdagutilityaccount iusr authenticated"
        " network local service localsystem trustedinstaller anonymous builtin workgroup users public default nobody"
        # Linux
        " daemon bin www-data sshd syslog ubuntu ec2-user azureuser admin wheel sudo"
        # AKS and Kubernetes
        " masterclient aksservice acsservice hcpservice readinesschecker kube-system kube-public kube-node-lease kube-proxy kubelet"
        # databases and services
        " master tempdb model msdb postgres sa dbo aws amazon microsoft azure"
        # placeholders
        " default unknown none null n/a na - not applicable undefined anonymous empty true false www localhost local * self me $latest"
    ).split()
)
"""Names without a person or an owner, in lower case."""

KEPT_AUTHORITIES = frozenset(
    (
        "nt authority|nt service|builtin|window manager|font driver host|nt virtual machine|iis apppool|workgroup|azuread|microsoftaccount"
        "|application package authority|."
    ).split("|")
)
"""In front of a backslash: authorities of Windows. After the first five of them the name stays, too."""
SERVICE_AUTHORITIES = frozenset("nt authority|nt service|builtin|window manager|font driver host|nt virtual machine|iis apppool".split("|"))

PHRASES = frozenset(
    (
        "local service|network service|anonymous logon|local system|all users|default user|authenticated users|domain admins|domain users"
        "|domain computers|domain controllers|domain guests|enterprise admins|schema admins|key admins|enterprise key admins"
        "|enterprise domain controllers|group policy creator owners|remote desktop users|remote management users|backup operators"
        "|account operators|server operators|print operators|power users|protected users|cert publishers|event log readers"
        "|hyper-v administrators|global administrator"
    ).split("|")
)

_GUIDS = frozenset(
    (
        # Azure roles: Owner, Contributor, Reader, User Access Administrator, Role Based Access Control Administrator
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635 b24988ac-6180-42a0-ab88-20f7382dd24c acdd72a7-3385-48ef-bd42-f606fba81ae7"
        " 18d7d88d-d35e-4fb5-a5c3-7773c20a72d9 f58310d9-a9f6-439a-9e8d-f62e7b41a168"
        # AKS: RBAC Cluster Admin, RBAC Admin, RBAC Writer, RBAC Reader, Cluster Admin, Cluster User, Contributor
        " b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b 3498e952-d568-435e-9b2c-8d77e338d7f7 a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb"
        " 7f6c6a51-bcf8-42ba-9220-52d62157d7db 0ab0b1a8-8aac-4efd-b8c2-3ee1fb270be8 4abbcc35-e782-43d8-92c5-2d3f1bd2253f"
        " ed7f3fbd-7b88-4dd4-9017-9adb7ce333f8"
        # Key Vault: Administrator, Secrets User, Secrets Officer; virtual machines: Contributor, administrator and user login
        " 00482a5a-887f-4fb3-b363-3b7fe8e74483 4633458b-17de-408a-b874-0445c86b69e6 b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
        " 9980e02c-c2be-4d73-94e8-173b1dc7cf3c 1c0163c0-47e6-4577-8991-ea5c82e286e4 fb879df8-f326-4884-b1cf-06f3ad86be52"
        # Storage: account contributor, blob data owner, contributor, reader; container registry: pull, push
        " 17d1049b-9a84-46fb-8f53-869881c3d3ab b7e6dc6d-f1e8-4753-8033-0f276bb0955b ba92f5b4-2d11-453d-a403-e96b0029c9fe"
        " 2a2b9908-6ea1-4ae2-8e65-a410df84e7d1 7f951dda-4ed3-4680-a7ca-43fe172d538d 8311e382-0749-4cb8-b61a-304f252e45ec"
        # Sentinel: Contributor, Responder, Reader; Log Analytics: Contributor, Reader; Security: Admin, Reader
        " ab8e14d6-4a74-4a29-9ba8-549422addade 3e150937-b8fe-4cfb-8069-0eaf05ecd056 8d289c81-5878-46d4-8554-54e1e3d8b5cb"
        " 92aaf0da-9dab-42b6-94a3-d43ce8d16293 73c42c96-874c-492b-b04d-ab87d138a893 fb1c8493-542b-48eb-b624-b4c8fea62acd"
        " 39bc4728-0917-49c7-9d2c-d95423bc2eb4"
        # Entra directory roles: Global, Privileged Role, Privileged Authentication, Security, User, Application, Cloud Application,
        # Exchange, SharePoint, Conditional Access, Helpdesk, Authentication, Hybrid Identity and Intune Administrator, Global Reader
        " 62e90394-69f5-4237-9190-012177145e10 e8611ab8-c189-46e8-94e1-60213ab1f814 7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
        " 194ae4cb-b126-40b2-bd5b-6091b380977d fe930be7-5e62-47db-91af-98c3a49a38b1 9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"
        " 158c047a-c907-4556-b7ef-446551a6b5f7 29232cdf-9323-42fd-ade2-1d097af3e4de f28a1f50-f6e7-4571-818b-6a12f2af6b6c"
        " b1be1c3e-b65d-4f19-8427-f6fa0d97feb9 729827e3-9c14-49f7-bb1b-9608f156bbb8 c4e39bd9-1100-46d3-8c65-fb160da0071f"
        " 8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2 3a2c62db-5318-420d-8d74-23affee5d9d5 f2ef992c-3afb-46b9-b7cf-a126ee74c451"
        # Microsoft's applications: Azure CLI, Azure PowerShell, Resource Manager, Azure portal, Graph Explorer, Graph command line,
        # Office home, Office, Teams, Outlook mobile, OneDrive, Authentication Broker, AKS server and client, Entra PowerShell,
        # Windows sign-in, Visual Studio Code, Visual Studio, Device Registration, My Apps, My Signins, Key Vault, Storage, SQL
        " 04b07795-8ddb-461a-bbee-02f9e1bf7b46 1950a258-227b-4e31-a9cf-717495945fc2 797f4846-ba00-4fd7-ba43-dac1f8f63013"
        " c44b4083-3bb0-49c1-b47d-974e53cbdf3c de8bc8b5-d9f9-48b1-a8ad-b748da725064 14d82eec-204b-4c2f-b7e8-296a70dab67e"
        " 4765445b-32c6-49b0-83e6-1d93765276ca d3590ed6-52b3-4102-aeff-aad2292ab01c 1fec8e78-bce4-4aaf-ab1b-5451cc387264"
        " 27922004-5251-4030-b22d-91ecd9a37ea4 ab9b8c07-8f02-4f72-87fa-80105867a763 29d9ed98-a469-4536-ade2-f981bc1d605e"
        " 6dae42f8-4368-4678-94ff-3960e28e3630 80faf920-1908-4b52-b5ef-a8e7bedfc67a 1b730954-1685-4b74-9bfd-dac224a7b894"
        " 38aa3b87-a06d-4817-b275-7a316988d93b aebc6443-996d-45c2-90f0-388ff96faa56 872cd9fa-d31f-45e0-9eab-6e460a02d1f1"
        " 01cb2876-7ebd-4aa4-9cc9-d28bd4d359a9 2793995e-0a7d-40d7-bd35-6968ba142197 19db86c3-b2b9-44cc-b339-36da233a3be2"
        " cfa8b339-82a2-471a-a3c9-0fc0be7a4093 e406a681-f3d4-42a8-90b6-c2b029497af1 022907d3-0f1b-48f7-badc-1ba6abab6d66"
        # tenants: Microsoft Services, Microsoft, personal accounts
        " f8cdef31-a31e-4b4a-93e4-5f571e91255a 72f988bf-86f1-41af-91ab-2d7cd011db47 9188040d-6c67-4c5b-b112-36a304b66dad"
        " 00000000-0000-0000-0000-000000000000 ffffffff-ffff-ffff-ffff-ffffffffffff"
    ).split()
)
_FIRST_PARTY = re.compile(r"000000[0-9a-f]{2}-0000-(?:0000-c000|0ff1-ce00)-000000000000")
"""Microsoft Graph, Exchange Online, SharePoint Online and their kin."""


def is_well_known_guid(text: str) -> bool:
    """Whether a GUID is Microsoft's own: a built-in role, a first-party application, the zero GUID."""
    lower = text.lower()
    return lower in _GUIDS or (lower.startswith("000000") and _FIRST_PARTY.fullmatch(lower) is not None)


KEPT_DOMAINS = frozenset(
    (
        # reserved for examples
        "contoso.com fabrikam.com example.com example.net example.org example test invalid localhost contoso.onmicrosoft.com"
        # mail and sign-in of everybody
        " gmail.com outlook.com hotmail.com live.com icloud.com yahoo.com"
        # services and namespaces of formats and APIs
        " microsoft.com microsoftonline.com microsoft.net msftauth.net office.com office365.com office.net windows.com windowsupdate.com"
        " management.azure.com login.windows.net graph.windows.net msidentity.com live.net skype.com bing.com visualstudio.com asp.net"
        " github.com githubusercontent.com ghcr.io docker.io docker.com quay.io gcr.io google.com googleapis.com gstatic.com apple.com"
        " k8s.io kubernetes.io x-k8s.io svc.cluster.local cluster.local cilium.io istio.io cert-manager.io argoproj.io openshift.io"
        " coreos.com projectcalico.org fluxcd.io linkerd.io kyverno.io crossplane.io keda.sh helm.sh gatekeeper.sh prometheus.io"
        " aws.amazon.com signin.aws w3.org schema.org ietf.org json-schema.org openxmlformats.org digicert.com letsencrypt.org"
        " kubernetes.azure.com mozilla.org ubuntu.com debian.org in-addr.arpa ip6.arpa"
    ).split()
)
"""Domains that stay with everything in front of them."""

PROVIDERS = frozenset(
    (
        "amazonaws.com amazonaws.com.cn windows.net azure.com azure.net azurewebsites.net azmk8s.io azurecr.io azure-api.net azureedge.net"
        " azurefd.net sharepoint.com onmicrosoft.com cloudapp.net trafficmanager.net cloudfront.net awsapps.com internal appspot.com"
        " azure-devices.net dynamics.com powerbi.com azurecontainerapps.io azurestaticapps.net azure.cn azure.us usgovcloudapi.net"
        " chinacloudapi.cn"
    ).split()
)
"""Domains below which customers have names: services and regions in front of them stay, the rest is replaced."""

SERVICE_LABELS = frozenset(
    (
        "core blob file queue table dfs web database vault servicebus cloudapp management portal login graph batch documents redis search"
        " hcp privatelink scm mail api opinsights ods oms agentsvc azure-automation dns monitor loganalytics kusto"
        " s3 s3-accelerate dualstack elb ec2 compute compute-1 rds sts iam signin lambda execute-api eks sqs sns dynamodb kms ssm logs"
        " cloudtrail cloudformation autoscaling elasticloadbalancing config organizations sso guardduty events apigateway"
        " elasticfilesystem secretsmanager acm backup athena glue ecs ecr redshift elasticache es console health inspector2 macie2"
        " securityhub access-analyzer support tagging servicecatalog monitoring cloudfront route53 waf wafv2 elasticmapreduce spot"
        " trustedadvisor batch codebuild codepipeline states application-autoscaling rds-data replication.ecr ssmmessages ec2messages"
    ).split()
)
REGION = re.compile(
    r"(?:us|eu|ap|sa|ca|me|af|cn|il|mx)(?:-gov)?-[a-z]+-\d|[a-z]+(?:europe|us|asia|india|central|north|south|east|west)\d?|z\d{2}"
)

SECOND_LEVEL = frozenset("co com org net gov gob gouv ac edu or ne go mil".split())

ENDINGS = frozenset(
    (
        "com net org edu gov mil int info biz io cloud app dev online site tech local lan corp internal intranet home localdomain domain"
        " ad private eu arpa"
        # countries whose code is no usual file extension
        " ac ae af ag al am ao ar at au az ba bd be bg bh bo br bw by ca cd ch ci cl cn co cr cy cz de dk do dz ec ee eg es et fi"
        " fj fr ge gh gr gt hk hn hr hu ie il in iq ir is it jm jo jp ke kg kh kr kw kz lb lk lt lu lv ly ma mc mk mm mn mo mt mu mx"
        " my na ng ni nl no np nz om pa pe ph pk pt py qa ro ru sa sd se sg si sk sn st sv th tj tm tn tr tt tv tw tz ua ug uk us uy"
        " uz ve vn ye za zm zw me pl rs xyz top club"
    ).split()
)
"""What the last label of a name has to be for it to be taken for a host or a domain in the midst of other text."""
AMBIGUOUS_ENDINGS = frozenset("pl py rs st in is it me no so at be do my to as app dev domain ad".split())
"""Endings that are also file extensions or words: two labels are not enough."""
NAMESPACES = frozenset("system microsoft windows java javax org com net io sun akka go python node".split())
"""First labels of names of programs: System.Net is no host."""

PRODUCTS = re.compile(r"(?:^|[\s;(,])[A-Za-z][\w.-]*/$|(?i:\b(?:version|ver|v|build|release))\W{0,3}$")
"""What stands before four numbers that are a version and no address."""
