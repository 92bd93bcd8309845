"""Checks that the parts of deploy/ agree with each other and with the project: agree.py COMPOSE, where COMPOSE is what
`docker-compose config` has read. Every fault is printed, and the exit code is then 1."""

import fnmatch
import re
import sys
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
FAULTS: list[str] = []


def expect(holds: object, words: str) -> None:
    if not holds:
        FAULTS.append(words)


def text(path: str) -> str:
    return (ROOT / path).read_text()


def compose(read: Path) -> None:
    """Every service is shut in the same way, and every port is open on this machine alone."""
    project = yaml.safe_load(read.read_text())
    for name, service in project["services"].items():
        place = f"compose.yaml: {name}"
        expect(service.get("read_only") is True, f"{place}: the root is writable")
        expect(service.get("cap_drop") == ["ALL"] and "cap_add" not in service, f"{place}: has capabilities")
        expect("no-new-privileges:true" in service.get("security_opt", []), f"{place}: can gain rights")
        expect(not service.get("privileged"), f"{place}: is privileged")
        expect(re.fullmatch(r"[1-9]\d*:[1-9]\d*", str(service.get("user", ""))), f"{place}: its user is not a number above 0")
        expect(re.fullmatch(r"[^:@]+[:@].+", service["image"]) and not service["image"].endswith(":latest"),
               f"{place}: the image has no fixed tag")
        expect("mem_limit" in service and "pids_limit" in service, f"{place}: memory and processes have no limit")
        # Brygga's image has nothing to ask itself with; it is asked from outside.
        expect("healthcheck" in service or name == "brygga", f"{place}: has no healthcheck")
        for port in service.get("ports", []):
            expect(str(port).startswith("127.0.0.1:"), f"{place}: {port} is open to other machines")
        for volume in service.get("volumes", []):
            source = str(volume).split(":")[0]
            if source.startswith("/"):
                expect(Path(source).exists(), f"{place}: {source} is not there")
                expect(str(volume).endswith(":ro"), f"{place}: {source} is writable")
        for value in (service.get("environment") or {}).items():
            expect("PASSWORD" not in value[0] or value[0].endswith("_FILE"), f"{place}: {value[0]} is a secret in the open")
    made = set(re.findall(r"[\w.-]+", text("deploy/trial-secrets")))
    for name, secret in project["secrets"].items():
        expect(Path(secret["file"]).parent == DEPLOY / "secrets", f"compose.yaml: the secret {name} lies elsewhere")
        expect(name in made or Path(name).stem in made, f"trial-secrets does not make {name}")


def image() -> None:
    """The image ends as a user that is not root, and all that it copies is let through by .dockerignore."""
    allowed = [line[1:].strip() for line in text(".dockerignore").splitlines() if line.startswith("!")]
    user = ""
    for line in text("deploy/Dockerfile").splitlines():
        words = line.split()
        if words[:1] == ["FROM"]:
            user = "root"
            expect(":" in words[1] and not words[1].endswith(":latest"), f"Dockerfile: {words[1]} has no fixed tag")
        elif words[:1] == ["USER"]:
            user = words[1]
        elif words[:1] == ["COPY"] and not any(word.startswith("--from") for word in words):
            for source in words[1:-1]:
                expect(source == "." or (ROOT / source).exists(), f"Dockerfile: {source} is not there")
                expect(source == "." or any(fnmatch.fnmatch(source, one) for one in allowed),
                       f".dockerignore keeps {source} out of the image")
    expect(re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), "Dockerfile: the image does not end as a user above 0")
    for name in allowed:
        expect((ROOT / name).exists(), f".dockerignore lets {name} through, which is not there")
    version = tomllib.loads(text("Cargo.toml"))["package"]["version"]
    for path in ("deploy/Dockerfile", "deploy/compose.yaml", "deploy/kubernetes/deployment.yaml"):
        expect(version in text(path), f"{path}: does not name version {version}")
    rust = tomllib.loads(text("Cargo.toml"))["package"]["rust-version"]
    expect(f"rust:{rust}-" in text("deploy/Dockerfile"), f"Dockerfile: is not built with Rust {rust}")


def manifests() -> list[dict]:
    found = []
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        found += [document for document in yaml.safe_load_all(path.read_text()) if document]
    return found


def kubernetes() -> None:
    """Selectors find the pods, ports and references exist, and the pods are as the namespace demands."""
    all_of = manifests()
    of_kind = lambda kind: [one for one in all_of if one["kind"] == kind]  # noqa: E731
    expect(all_of[0]["kind"] == "Namespace", "kubernetes/: the namespace does not come first")
    for one in all_of[1:]:
        expect(one["metadata"].get("namespace") == "brygga", f"kubernetes/: {one['metadata']['name']}: is not in its namespace")
    expect(not of_kind("Secret"), "kubernetes/: secrets are not kept here")
    (deployment,) = of_kind("Deployment")
    template = deployment["spec"]["template"]
    labels, pod = template["metadata"]["labels"], template["spec"]
    expect(deployment["spec"]["replicas"] == 3, "kubernetes/: three processes are promised")

    def finds(selector: dict, who: str) -> None:
        expect(selector and selector.items() <= labels.items(), f"kubernetes/: {who} does not find the pods")

    finds(deployment["spec"]["selector"]["matchLabels"], "the deployment")
    for one in pod["topologySpreadConstraints"]:
        finds(one["labelSelector"]["matchLabels"], "a spread constraint")
    for one in of_kind("PodDisruptionBudget"):
        finds(one["spec"]["selector"]["matchLabels"], "the disruption budget")
        expect(one["spec"]["minAvailable"] < deployment["spec"]["replicas"], "kubernetes/: no pod may ever be evicted")
    ports = {port["name"]: port["containerPort"] for container in pod["containers"] for port in container["ports"]}
    for one in of_kind("Service"):
        finds(one["spec"]["selector"], one["metadata"]["name"])
        for port in one["spec"]["ports"]:
            expect(port["targetPort"] in ports, f"kubernetes/: {one['metadata']['name']}: no port {port['targetPort']}")
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind("NetworkPolicy")}
    expect(policies["nothing"]["podSelector"] == {} and len(policies["nothing"]["policyTypes"]) == 2
           and not {"ingress", "egress"} & policies["nothing"].keys(), "kubernetes/: not everything is shut by default")
    finds(policies["brygga"]["podSelector"]["matchLabels"], "the network policy")
    opened = {port["port"] for rule in policies["brygga"]["ingress"] for port in rule["ports"]}
    expect(opened == set(ports.values()), "kubernetes/: the network policy does not open the ports that there are")
    context = pod["securityContext"]
    expect(context["runAsNonRoot"] and context["runAsUser"] > 0, "kubernetes/: the pods are root")
    expect(context["seccompProfile"]["type"] == "RuntimeDefault", "kubernetes/: system calls are not filtered")
    expect(pod["automountServiceAccountToken"] is False, "kubernetes/: the pods hold a token of the cluster")
    (job,) = list(yaml.safe_load_all(text("deploy/kubernetes/jobs/restore-accept.yaml")))
    once = job["spec"]["template"]["spec"]
    for key in ("volumes", "securityContext", "automountServiceAccountToken"):
        expect(once[key] == pod[key], f"kubernetes/jobs/: its {key} are not the deployment's")
    expect(once["containers"][0]["image"] == pod["containers"][0]["image"], "kubernetes/jobs/: another image")
    for container in pod["containers"] + once["containers"]:
        own = container["securityContext"]
        expect(own["readOnlyRootFilesystem"] and not own["allowPrivilegeEscalation"] and own["capabilities"]["drop"] == ["ALL"],
               f"kubernetes/: {container['name']}: is not restricted")
    for container in pod["containers"]:
        for probe, path in (("livenessProbe", "/healthz"), ("startupProbe", "/healthz"), ("readinessProbe", "/readyz/feed")):
            get = container[probe]["httpGet"]
            expect(get["path"] == path and ports.get(get["port"]) == 9480, f"kubernetes/: the {probe} asks elsewhere")
    operating = text("docs/operating.md")
    maps = {one["metadata"]["name"]: one["data"] for one in of_kind("ConfigMap")}
    for volume in pod["volumes"]:
        for source in volume.get("projected", {"sources": [volume]})["sources"]:
            if "configMap" in source:
                data = maps.get(source["configMap"]["name"], {})
                expect(data, f"kubernetes/: there is no ConfigMap {source['configMap']['name']}")
                for item in source["configMap"].get("items", []):
                    expect(item["key"] in data, f"kubernetes/: {item['key']} is in no ConfigMap")
            if "secret" in source:
                expect(source["secret"]["name"] in operating, f"docs/operating.md does not say how to make {source['secret']['name']}")


def alarms() -> None:
    """Every number that an alarm asks for exists, and every alarm and every part has its line in docs/operating.md."""
    source = text("src/telemetry/numbers.rs")
    known = {f"brygga_{name}" for name in re.findall(r'register\(\s*"(\w+)"', source)}
    expect(known, "src/telemetry/numbers.rs registers nothing that can be read here")
    operating = text("docs/operating.md")
    for path in sorted((ROOT / "src").rglob("*.rs")):
        for part in re.findall(r'\bhealth\.part\("([\w.-]+)"', path.read_text().split("#[cfg(test)]")[0]):
            expect(f"| `{part}` |" in operating, f"docs/operating.md does not say what it means that {part} is down")
    for group in yaml.safe_load(text("deploy/prometheus/alarms.yaml"))["groups"]:
        for rule in group["rules"]:
            for name in re.findall(r"\bbrygga_\w+", rule["expr"]):
                plain = re.sub(r"_(total|bucket|sum|count)$", "", name)
                expect(plain in known, f"alarms.yaml: {rule['alert']} asks for {name}, which Brygga does not show")
            line = next((line for line in operating.splitlines() if line.startswith(f"| `{rule['alert']}`")), "")
            expect(line, f"docs/operating.md does not say what {rule['alert']} means")
            # A table's cell writes | as \|; nothing else may differ.
            expect(f"`{rule['expr']}`" in line.replace("\\|", "|"), f"docs/operating.md has another expression for {rule['alert']}")


def configurations() -> None:
    """The configurations of compose and Kubernetes are TOML, name only secrets that are mounted, and keep to their ports."""
    (inline,) = [one["data"]["brygga.toml"] for one in manifests() if "brygga.toml" in one.get("data", {})]
    for place, content in {"compose.toml": text("deploy/compose.toml"), "kubernetes/config.yaml": inline}.items():
        config = tomllib.loads(content)
        expect("feed" not in config or config["feed"]["listen"] == "0.0.0.0:8443", f"{place}: the feed does not listen on 8443")
        expect(config["management"]["listen"] == "0.0.0.0:9480", f"{place}: management does not listen on 9480")
        for name in re.findall(r"/run/secrets/([\w.-]+)", content):
            for where in ("deploy/compose.yaml", "deploy/kubernetes/deployment.yaml"):
                expect(re.search(rf"\b{re.escape(name)}\b", text(where)), f"{place}: {where} does not mount {name}")


def sample() -> None:
    """The sample fits the systemd unit and RabbitMQ's definitions, and explains every key that the others use."""
    content = text("deploy/brygga.toml")
    config = tomllib.loads(content)
    for path in re.findall(r'^[^#\n]*_file\w* = \[?"([^"]+)"', content, re.MULTILINE):
        expect(path.startswith("/etc/brygga/secrets/"), f"brygga.toml: {path} is not where the unit's secrets lie")
    expect(config["amqp"]["url"].endswith("/brygga"), "brygga.toml: the virtual host is not that of definitions.json")
    expect(config["amqp"].get("declare") is False, "brygga.toml: with definitions.json Brygga has no right to declare")
    named = set(re.findall(r"^(?:# )?(\w+) =", content, re.MULTILINE))
    for place in ("deploy/compose.toml", "deploy/kubernetes/config.yaml"):
        for name in re.findall(r"^ *(\w+) =", text(place), re.MULTILINE):
            expect(name in named, f"{place}: brygga.toml does not explain {name}")


def main() -> int:
    compose(Path(sys.argv[1]))
    image()
    kubernetes()
    alarms()
    configurations()
    sample()
    for fault in FAULTS:
        print(fault, file=sys.stderr)
    return int(bool(FAULTS))


if __name__ == "__main__":
    sys.exit(main())
