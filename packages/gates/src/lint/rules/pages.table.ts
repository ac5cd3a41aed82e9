import type { RulePage } from '../rule.ts';
import type { LintSettings } from '../settings.ts';

function page(why: string, bad: string, good: string, settings?: Partial<LintSettings>): RulePage {
  return { why, bad, good, ...(settings && { settings }) };
}

const labelled = (
  type: 'text' | 'url' | 'rfc3339' | 'spdx' | 'hash' | 'semver' | 'email',
): Partial<LintSettings> => ({
  labelSchema: { 'org.example.value': type },
});

/** The page of every rule, by code. */
export const PAGES: Readonly<Record<string, RulePage>> = {
  DL1001: page(
    'A comment that switches rules off hides the finding from everyone who reads the report. Where that is not wanted, give this rule a severity.',
    'FROM debian:12\n# hadolint ignore=DL3002\nUSER root',
    'FROM debian:12\nUSER app',
  ),
  DL3000: page(
    'A relative WORKDIR depends on the one before it, and that may stand in the base image: a new base moves your files.',
    'FROM debian:12\nWORKDIR app',
    'FROM debian:12\nWORKDIR /app',
  ),
  DL3001: page(
    'These commands steer a running machine or talk to a person. In a build there is neither: they fail, or do nothing.',
    'FROM debian:12\nRUN service nginx start',
    'FROM debian:12\nCMD ["nginx", "-g", "daemon off;"]',
  ),
  DL3002: page(
    'The last USER is who the container runs as. As root, a hole in the program is a hole in everything the container can reach.',
    'FROM debian:12\nUSER root',
    'FROM debian:12\nUSER 10001',
  ),
  DL3003: page(
    'A `cd` ends with its RUN. What needs the folder later does not get it; WORKDIR says it once for all.',
    'FROM debian:12\nRUN cd /opt && make',
    'FROM debian:12\nWORKDIR /opt\nRUN make',
  ),
  DL3004: page(
    'sudo wants a terminal, swallows signals and changes the environment. A build is root already, and USER switches cleanly.',
    'FROM debian:12\nRUN sudo make install',
    'FROM debian:12\nRUN make install',
  ),
  DL3005: page(
    'Upgrading a whole distribution in a layer makes an image nobody can rebuild, and leaves the old files below it.',
    'FROM debian:12\nRUN apt-get update && apt-get dist-upgrade -y',
    'FROM debian:12.9\nRUN apt-get update',
  ),
  DL3006: page(
    'Without a tag the newest image is taken: the build of today and that of next month start from different systems.',
    'FROM debian',
    'FROM debian:12',
  ),
  DL3007: page(
    '`latest` is only a name that is moved along. A version says what is meant, and changes when you change it.',
    'FROM node:latest',
    'FROM node:24.1',
  ),
  DL3008: page(
    'Without a version the package is whatever the archive holds on the day of the build, and a cached layer hides updates.',
    'FROM debian:12\nRUN apt-get update && apt-get install -y curl',
    'FROM debian:12\nRUN apt-get update && apt-get install -y curl=7.88.1-10+deb12u12',
  ),
  DL3009: page(
    'The package lists are tens of megabytes that nothing reads again. A later RUN cannot take them out of this layer.',
    'FROM debian:12\nRUN apt-get update && apt-get install -y curl=7.88.1*',
    'FROM debian:12\nRUN apt-get update && apt-get install -y curl=7.88.1* && rm -rf /var/lib/apt/lists/*',
  ),
  DL3010: page(
    'The archive stays in the layer of COPY after it was unpacked, so the image carries its content twice.',
    'FROM debian:12\nCOPY app.tar.gz /opt/\nRUN tar -xzf /opt/app.tar.gz',
    'FROM debian:12\nADD app.tar.gz /opt/',
  ),
  DL3011: page(
    'There is no port above 65535.',
    'FROM debian:12\nEXPOSE 80000',
    'FROM debian:12\nEXPOSE 8080',
  ),
  DL3012: page(
    'Docker keeps the last HEALTHCHECK of a stage and forgets the others without a word.',
    'FROM debian:12\nHEALTHCHECK CMD ["/live"]\nHEALTHCHECK CMD ["/ready"]',
    'FROM debian:12\nHEALTHCHECK CMD ["/ready"]',
  ),
  DL3013: page(
    'Without a version pip takes the newest release: a build that worked breaks on somebody else’s release day.',
    'FROM python:3.13\nRUN pip install --no-cache-dir requests',
    'FROM python:3.13\nRUN pip install --no-cache-dir requests==2.32.3',
  ),
  DL3014: page(
    'apt-get asks before it installs. In a build there is nobody to say yes, so it stops.',
    'FROM debian:12\nRUN apt-get install curl',
    'FROM debian:12\nRUN apt-get install -y curl',
  ),
  DL3015: page(
    'Recommended packages are for people at a desk. They make the image larger, and give the scanner more to find.',
    'FROM debian:12\nRUN apt-get install -y curl',
    'FROM debian:12\nRUN apt-get install -y --no-install-recommends curl',
  ),
  DL3016: page(
    'Without a version npm takes the newest release, so the same Dockerfile makes another image tomorrow.',
    'FROM node:24\nRUN npm install -g typescript',
    'FROM node:24\nRUN npm install -g typescript@5.9.2',
  ),
  DL3018: page(
    'Without a version apk takes what the branch holds on the day of the build.',
    'FROM alpine:3.21\nRUN apk add --no-cache curl',
    'FROM alpine:3.21\nRUN apk add --no-cache curl=8.12.1-r1',
  ),
  DL3019: page(
    'apk keeps its index in the image unless it is told not to.',
    'FROM alpine:3.21\nRUN apk add curl=8.12.1-r1',
    'FROM alpine:3.21\nRUN apk add --no-cache curl=8.12.1-r1',
  ),
  DL3020: page(
    'ADD also unpacks and downloads. For plain files COPY does what it looks like, and nothing else.',
    'FROM debian:12\nADD app.js /srv/',
    'FROM debian:12\nCOPY app.js /srv/',
  ),
  DL3021: page(
    'Several files fit only into a folder; without the slash the builder refuses, or makes a file of that name.',
    'FROM debian:12\nCOPY a.txt b.txt /srv',
    'FROM debian:12\nCOPY a.txt b.txt /srv/',
  ),
  DL3022: page(
    'A name that is no earlier stage is taken for an image and pulled from the internet: a typing error becomes a foreign image.',
    'FROM node:24 AS build\nFROM debian:12\nCOPY --from=biuld /app /app',
    'FROM node:24 AS build\nFROM debian:12\nCOPY --from=build /app /app',
  ),
  DL3023: page(
    'A stage cannot take files out of itself while it is being made.',
    'FROM node:24 AS build\nCOPY --from=build /app /srv',
    'FROM node:24 AS build\nCOPY app /srv',
  ),
  DL3024: page(
    'With two stages of one name nobody can tell which of them `--from` means.',
    'FROM node:24 AS build\nFROM debian:12 AS build',
    'FROM node:24 AS build\nFROM debian:12 AS final',
  ),
  DL3025: page(
    'In the shell form a shell is process 1, and it hands no signals on: stopping the container takes ten seconds and kills.',
    'FROM debian:12\nCMD nginx -g "daemon off;"',
    'FROM debian:12\nCMD ["nginx", "-g", "daemon off;"]',
  ),
  DL3026: page(
    'The settings list the registries that base images may come from; this one is not on the list.',
    'FROM registry.example.net/debian:12',
    'FROM docker.io/library/debian:12',
    { trustedRegistries: ['docker.io'] },
  ),
  DL3027: page(
    'apt’s options and output change between releases, as it says itself; apt-get is kept stable for scripts.',
    'FROM debian:12\nRUN apt install -y curl',
    'FROM debian:12\nRUN apt-get install -y curl',
  ),
  DL3028: page(
    'Without a version gem takes the newest release.',
    'FROM ruby:3.4\nRUN gem install bundler',
    'FROM ruby:3.4\nRUN gem install bundler:2.6.3',
  ),
  DL3029: page(
    'A platform written into FROM makes an image that runs under emulation, or not at all, on every other machine.',
    'FROM --platform=linux/amd64 debian:12',
    'FROM --platform=$BUILDPLATFORM debian:12',
  ),
  DL3030: page(
    'yum asks before it installs, and nobody answers.',
    'FROM centos:7\nRUN yum install httpd-2.4.6',
    'FROM centos:7\nRUN yum install -y httpd-2.4.6',
  ),
  DL3032: page(
    'yum’s cache stays in the layer unless the same RUN removes it.',
    'FROM centos:7\nRUN yum install -y httpd-2.4.6',
    'FROM centos:7\nRUN yum install -y httpd-2.4.6 && yum clean all',
  ),
  DL3033: page(
    'Without a version yum takes what the repository holds on the day of the build.',
    'FROM centos:7\nRUN yum install -y httpd',
    'FROM centos:7\nRUN yum install -y httpd-2.4.6',
  ),
  DL3034: page(
    'zypper asks before it changes anything, and nobody answers.',
    'FROM opensuse/leap:15.6\nRUN zypper install httpd=2.4.58',
    'FROM opensuse/leap:15.6\nRUN zypper --non-interactive install httpd=2.4.58',
  ),
  DL3035: page(
    'Upgrading a whole distribution in a layer makes an image nobody can rebuild.',
    'FROM opensuse/leap:15.5\nRUN zypper dist-upgrade -y',
    'FROM opensuse/leap:15.6\nRUN zypper update -y',
  ),
  DL3036: page(
    'zypper’s cache stays in the layer unless the same RUN removes it.',
    'FROM opensuse/leap:15.6\nRUN zypper install -y httpd=2.4.58',
    'FROM opensuse/leap:15.6\nRUN zypper install -y httpd=2.4.58 && zypper clean',
  ),
  DL3037: page(
    'Without a version zypper takes what the repository holds on the day of the build.',
    'FROM opensuse/leap:15.6\nRUN zypper install -y httpd',
    'FROM opensuse/leap:15.6\nRUN zypper install -y httpd=2.4.58',
  ),
  DL3038: page(
    'dnf asks before it installs, and nobody answers.',
    'FROM fedora:41\nRUN dnf install httpd-2.4.62',
    'FROM fedora:41\nRUN dnf install -y httpd-2.4.62',
  ),
  DL3040: page(
    'dnf’s cache stays in the layer unless the same RUN removes it.',
    'FROM fedora:41\nRUN dnf install -y httpd-2.4.62',
    'FROM fedora:41\nRUN dnf install -y httpd-2.4.62 && dnf clean all',
  ),
  DL3041: page(
    'Without a version dnf takes what the repository holds on the day of the build.',
    'FROM fedora:41\nRUN dnf install -y httpd',
    'FROM fedora:41\nRUN dnf install -y httpd-2.4.62',
  ),
  DL3042: page(
    'pip keeps what it downloaded for a next time that an image never has.',
    'FROM python:3.13\nRUN pip install requests==2.32.3',
    'FROM python:3.13\nRUN pip install --no-cache-dir requests==2.32.3',
  ),
  DL3043: page(
    'A trigger runs in the middle of somebody else’s build, where these instructions cannot stand.',
    'FROM debian:12\nONBUILD MAINTAINER me',
    'FROM debian:12\nONBUILD RUN make',
  ),
  DL3044: page(
    'All variables of an ENV are set at once: inside it the others still have their old values.',
    'FROM debian:12\nENV HOME_DIR=/srv DATA_DIR=$HOME_DIR/data',
    'FROM debian:12\nENV HOME_DIR=/srv\nENV DATA_DIR=$HOME_DIR/data',
  ),
  DL3045: page(
    'A relative target lies below the WORKDIR; where none is set here, the base image decides.',
    'FROM debian:12\nCOPY app.js app.js',
    'FROM debian:12\nWORKDIR /srv\nCOPY app.js app.js',
  ),
  DL3046: page(
    'useradd writes a record into a table indexed by the number: for a high one a sparse file of gigabytes, which a layer stores in full.',
    'FROM debian:12\nRUN useradd -u 1234567 app',
    'FROM debian:12\nRUN useradd -l -u 1234567 app',
  ),
  DL3047: page(
    'wget’s bar is for terminals; in a log each step is a line, and the log of a large download buries everything else.',
    'FROM debian:12\nRUN wget https://example.org/large.iso',
    'FROM debian:12\nRUN wget --progress=dot:giga https://example.org/large.iso',
  ),
  DL3048: page(
    'Label keys have rules: tools that look for labels may not find this one, or confuse it with their own.',
    'FROM debian:12\nLABEL Some_Key=1',
    'FROM debian:12\nLABEL org.example.some-key=1',
  ),
  DL3049: page(
    'The label schema of the settings asks for this label on every image.',
    'FROM debian:12',
    'FROM debian:12\nLABEL org.example.value=1',
    labelled('text'),
  ),
  DL3050: page(
    'With strict labels the schema lists all there may be.',
    'FROM debian:12\nLABEL org.example.value=1 other=2',
    'FROM debian:12\nLABEL org.example.value=1',
    { ...labelled('text'), strictLabels: true },
  ),
  DL3051: page(
    'A required label without a value says nothing.',
    'FROM debian:12\nLABEL org.example.value=""',
    'FROM debian:12\nLABEL org.example.value="1"',
    labelled('text'),
  ),
  DL3052: page(
    'The schema says that this label is a URL.',
    'FROM debian:12\nLABEL org.example.value="our wiki"',
    'FROM debian:12\nLABEL org.example.value="https://example.org/wiki"',
    labelled('url'),
  ),
  DL3053: page(
    'The schema says that this label is a time, so that machines can sort by it.',
    'FROM debian:12\nLABEL org.example.value="last Monday"',
    'FROM debian:12\nLABEL org.example.value="2026-11-23T10:00:00Z"',
    labelled('rfc3339'),
  ),
  DL3054: page(
    'The schema says that this label is a licence, by the identifiers that licence tools know.',
    'FROM debian:12\nLABEL org.example.value="free for all"',
    'FROM debian:12\nLABEL org.example.value="MIT"',
    labelled('spdx'),
  ),
  DL3055: page(
    'The schema says that this label is a commit: 7 or 40 hexadecimal digits.',
    'FROM debian:12\nLABEL org.example.value="main"',
    'FROM debian:12\nLABEL org.example.value="43c572f"',
    labelled('hash'),
  ),
  DL3056: page(
    'The schema says that this label is a semantic version.',
    'FROM debian:12\nLABEL org.example.value="v2"',
    'FROM debian:12\nLABEL org.example.value="2.0.0"',
    labelled('semver'),
  ),
  DL3057: page(
    'Without a HEALTHCHECK Docker takes a hanging program for a healthy one. Clusters have probes of their own, so this is off by default.',
    'FROM debian:12\nCMD ["/serve"]',
    'FROM debian:12\nHEALTHCHECK CMD ["/live"]\nCMD ["/serve"]',
  ),
  DL3058: page(
    'The schema says that this label is an e-mail address.',
    'FROM debian:12\nLABEL org.example.value="the team"',
    'FROM debian:12\nLABEL org.example.value="team@example.org"',
    labelled('email'),
  ),
  DL3059: page(
    'Each RUN is a layer. Several short ones in a row cost more and say no more than one.',
    'FROM debian:12\nRUN mkdir /srv/a\nRUN mkdir /srv/b',
    'FROM debian:12\nRUN mkdir /srv/a && mkdir /srv/b',
  ),
  DL3060: page(
    'yarn keeps what it downloaded for a next time that an image never has.',
    'FROM node:24\nRUN yarn install',
    'FROM node:24\nRUN yarn install && yarn cache clean',
  ),
  DL3061: page(
    'Only ARG may stand before FROM: there is no image yet that the rest could change.',
    'LABEL a=b\nFROM debian:12',
    'ARG RELEASE=12\nFROM debian:$RELEASE',
  ),
  DL3062: page(
    'Without a version, or with `latest`, go takes what is newest on the day of the build.',
    'FROM golang:1.24\nRUN go install example.org/tool',
    'FROM golang:1.24\nRUN go install example.org/tool@v1.4.2',
  ),
  DL3063: page(
    '`scratch` and `context` mean something of their own to the builder; a stage of that name cannot be told from it.',
    'FROM debian:12 AS context',
    'FROM debian:12 AS sources',
  ),
  DL3064: page(
    'Values of ARG and ENV stand in the image’s history, for everyone who can pull it. A mounted secret leaves no trace.',
    'FROM debian:12\nARG NPM_TOKEN',
    'FROM debian:12\nRUN --mount=type=secret,id=npm npm ci',
  ),
  DL3065: page(
    'The platform that is built for is the default of FROM; writing it down only makes readers look for a reason.',
    'FROM --platform=$TARGETPLATFORM debian:12',
    'FROM debian:12',
  ),
  DL3066: page(
    'Who forbids root from outside (a cluster, for one) sees only the image: a name may be root’s, a number is not.',
    'FROM debian:12\nUSER app',
    'FROM debian:12\nUSER 10001',
  ),
  DL3067: page(
    'A stage’s whole file system brings its tools, caches and leftovers along; several stages then had no use.',
    'FROM node:24 AS build\nFROM debian:12\nCOPY --from=build / /',
    'FROM node:24 AS build\nFROM debian:12\nCOPY --from=build /app /app',
  ),
  DL4000: page(
    'MAINTAINER is deprecated; a label says the same, and tools can read it.',
    'FROM debian:12\nMAINTAINER me@example.org',
    'FROM debian:12\nLABEL maintainer=me@example.org',
  ),
  DL4001: page(
    'Two tools for one task: twice the size, twice the advisories.',
    'FROM debian:12\nRUN curl -O https://example.org/a\nRUN wget -q https://example.org/b',
    'FROM debian:12\nRUN curl -O https://example.org/a\nRUN curl -O https://example.org/b',
  ),
  DL4003: page(
    'Docker keeps the last CMD and forgets the others without a word.',
    'FROM debian:12\nCMD ["/a"]\nCMD ["/b"]',
    'FROM debian:12\nCMD ["/b"]',
  ),
  DL4004: page(
    'Docker keeps the last ENTRYPOINT and forgets the others without a word.',
    'FROM debian:12\nENTRYPOINT ["/a"]\nENTRYPOINT ["/b"]',
    'FROM debian:12\nENTRYPOINT ["/b"]',
  ),
  DL4005: page(
    'A link over /bin/sh changes the shell of every script in the image, also of those that were never tried with it.',
    'FROM debian:12\nRUN ln -sf /bin/bash /bin/sh',
    'FROM debian:12\nSHELL ["/bin/bash", "-c"]',
  ),
  DL4006: page(
    'Of a pipe only the last command’s exit code counts: when the download fails, the build goes on with half a file.',
    'FROM debian:12\nRUN curl https://example.org/list | sort > /list',
    'FROM debian:12\nSHELL ["/bin/bash", "-o", "pipefail", "-c"]\nRUN curl https://example.org/list | sort > /list',
  ),
  UP1001: page(
    'Everyone who can pull the image reads its ENV and its history. A secret that was in there has to be replaced.',
    'FROM debian:12\nENV DB_PASSWORD=hunter2',
    'FROM debian:12\nENV DB_PASSWORD_FILE=/run/secrets/db',
  ),
  UP1002: page(
    'Whoever owns the server, its domain or the way there runs commands in your build, and nobody sees which.',
    'FROM debian:12\nRUN curl -fsSL https://example.org/install.sh | sh',
    'FROM debian:12\nRUN curl -fsSLo i.sh https://example.org/install.sh && echo "9f86d081 i.sh" | sha256sum -c && sh i.sh',
  ),
  UP1003: page(
    'The builder can compare a download with a checksum; without one, a changed file goes into the image unseen.',
    'FROM debian:12\nADD https://example.org/tool.tar.gz /opt/',
    'FROM debian:12\nADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.org/tool.tar.gz /opt/',
  ),
  UP1004: page(
    'Tags are moved, also those that look like versions. With a digest the build gets this image or none.',
    'FROM debian:12',
    'FROM debian:12@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d',
  ),
  UP1005: page(
    'Most base images leave root as the user. An image that names its own user is safe whatever it is built on.',
    'FROM debian:12\nCMD ["/serve"]',
    'FROM debian:12\nUSER 10001\nCMD ["/serve"]',
  ),
  UP1006: page(
    'What everyone may write, the first hole in any program of the image can change: also what root runs later.',
    'FROM debian:12\nRUN chmod -R 777 /srv',
    'FROM debian:12\nRUN chown -R 10001 /srv',
  ),
};
