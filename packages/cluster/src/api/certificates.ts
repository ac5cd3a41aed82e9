import { randomBytes, webcrypto } from 'node:crypto';
// @peculiar/x509's injector needs it before anything else.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';
import { isAddress } from './credentials.ts';

/** A certificate and its private key, PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority {
  readonly pair: KeyPair;
  issueServer(hosts: readonly string[], nowMs: number): Promise<KeyPair>;
  issueClient(subject: { readonly user: string; readonly group: string }, nowMs: number): Promise<KeyPair>;
  /** A client's certificate for what a PKCS #10 request (PEM) asks for, or why there is none. */
  signClient(request: string, terms: Terms): Promise<Signed>;
}

export interface Terms {
  readonly nowMs: number;
  readonly lastsMs: number;
  /** The key may encipher other keys. */
  readonly enciphers: boolean;
  /** A group that nobody gets this way. */
  readonly refusedGroup: string;
}

export type Signed = { readonly certificate: string } | { readonly refused: string };

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const YEAR_MS = 365 * 24 * 3600 * 1000;
/** Clocks of containers and hosts may differ a little. */
const BACKDATE_MS = 3600 * 1000;
/** The same for certificates that last for hours. */
const SKEW_MS = 5 * 60 * 1000;

const provider = webcrypto;
x509.cryptoProvider.set(provider);

async function generate(): Promise<webcrypto.CryptoKeyPair> {
  return await provider.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

async function keyPem(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await provider.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

/** A new private key, PEM. */
export async function newKey(): Promise<string> {
  return keyPem((await generate()).privateKey);
}

function validity(nowMs: number, years: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(nowMs - BACKDATE_MS), notAfter: new Date(nowMs + years * YEAR_MS) };
}

function serialNumber(): string {
  // Positive: the first bit must not be set.
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] ?? 0) & 0x7f;
  return bytes.toString('hex');
}

/** A new certificate authority. */
export async function createAuthority(nowMs: number): Promise<Authority> {
  const keys = await generate();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: 'CN=updraft-cluster-ca',
    ...validity(nowMs, 10),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return authority(certificate, keys.privateKey);
}

/** A server's certificate that nobody vouches for. @param years browsers accept little more than two */
export async function createSelfSigned(
  subject: { readonly name: string; readonly hosts: readonly string[] },
  nowMs: number,
  years: number,
): Promise<KeyPair> {
  const keys = await generate();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${subject.name}`,
    ...validity(nowMs, years),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(subject.hosts.map((value) => ({ type: 'dns', value }))),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key: `${await keyPem(keys.privateKey)}\n` };
}

export async function loadAuthority(pair: KeyPair): Promise<Authority> {
  const der = x509.PemConverter.decodeFirst(pair.key);
  const key = await provider.subtle.importKey('pkcs8', der, ALGORITHM, true, ['sign']);
  return authority(new x509.X509Certificate(pair.certificate), key);
}

async function readRequest(
  pem: string,
  terms: Terms,
): Promise<x509.Pkcs10CertificateRequest | { readonly refused: string }> {
  const request = parseRequest(pem);
  if (!request) return { refused: 'the request cannot be read' };
  if (!(await request.verify(provider).catch(() => false)))
    return { refused: 'the request is not signed by its own key' };
  const name = request.subjectName;
  if (name.getField('CN').length === 0) return { refused: 'the request names nobody' };
  return name.getField('O').includes(terms.refusedGroup)
    ? { refused: `nobody gets into the group ${terms.refusedGroup} by a certificate` }
    : request;
}

function parseRequest(pem: string): x509.Pkcs10CertificateRequest | undefined {
  try {
    return new x509.Pkcs10CertificateRequest(pem);
  } catch {
    return undefined;
  }
}

/** What certificates of one authority differ in. */
interface Leaf {
  readonly subject: string | x509.Name;
  readonly publicKey: x509.PublicKeyType;
  readonly valid: { readonly notBefore: Date; readonly notAfter: Date };
  readonly usages: number;
  readonly extensions: readonly x509.Extension[];
}

async function authority(ca: x509.X509Certificate, key: webcrypto.CryptoKey): Promise<Authority> {
  const sign = async ({ subject, publicKey, valid, usages, extensions }: Leaf): Promise<string> => {
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(),
      subject,
      issuer: ca.subject,
      ...valid,
      signingAlgorithm: ALGORITHM,
      publicKey,
      signingKey: key,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(usages, true),
        await x509.AuthorityKeyIdentifierExtension.create(ca.publicKey),
        ...extensions,
      ],
    });
    return `${certificate.toString('pem')}\n`;
  };
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  const issue = async (subject: string, nowMs: number, extensions: x509.Extension[]): Promise<KeyPair> => {
    const { publicKey, privateKey } = await generate();
    const identifier = await x509.SubjectKeyIdentifierExtension.create(publicKey);
    const leaf = { subject, publicKey, valid: validity(nowMs, 5), usages: digitalSignature };
    const certificate = await sign({ ...leaf, extensions: [identifier, ...extensions] });
    return { certificate, key: `${await keyPem(privateKey)}\n` };
  };
  const signClient = async (pem: string, terms: Terms): Promise<Signed> => {
    const request = await readRequest(pem, terms);
    if ('refused' in request) return request;
    const { subject, publicKey } = request;
    const { nowMs, lastsMs } = terms;
    const valid = { notBefore: new Date(nowMs - SKEW_MS), notAfter: new Date(nowMs + lastsMs) };
    const usages = digitalSignature | (terms.enciphers ? keyEncipherment : 0);
    const extensions = [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])];
    return { certificate: await sign({ subject, publicKey, valid, usages, extensions }) };
  };
  return {
    signClient,
    pair: { certificate: `${ca.toString('pem')}\n`, key: `${await keyPem(key)}\n` },
    issueServer: (hosts, nowMs) =>
      issue('CN=kube-apiserver', nowMs, [
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(
          hosts.map((host) => ({ type: isAddress(host) ? 'ip' : 'dns', value: host })),
        ),
      ]),
    issueClient: (subject, nowMs) =>
      issue(`O=${subject.group},CN=${subject.user}`, nowMs, [
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
      ]),
  };
}
