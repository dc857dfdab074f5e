import 'reflect-metadata';

import {createHash, X509Certificate as NodeCertificate, webcrypto} from 'node:crypto';
import {existsSync} from 'node:fs';
import {readFile, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {PemConverter, X509Certificate} from '@peculiar/x509';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {agreeOn} from '#ota/fleet/authority/agree-on.ts';
import {type AuthorityConfig, dayMs} from '#ota/fleet/authority/authority-config.ts';
import type {AuthorityErrorCode} from '#ota/fleet/authority/authority-error.ts';
import {type AuthorityKey, keyFromPem, keyToPem, makeKey} from '#ota/fleet/authority/authority-key.ts';
import {authorityFileNames, createAuthorityFiles, fleetSubject} from '#ota/fleet/authority/create-authority-files.ts';
import {type Issuer, makeLeaf} from '#ota/fleet/authority/make-certificate.ts';
import type {FleetDatabase} from '#ota/fleet/store/fleet-database.ts';

/** A key with its certificate (and those up to the root, which is not sent), for one end of TLS. */
export type TlsCredentials = {
	readonly keyPem: string;
	readonly certificatePem: string;
	readonly caPem: string;
	readonly notAfterMs: number;
};

export type IssuedCertificate = {readonly certificate: X509Certificate; readonly pem: string};

/** Who certifies the boxes and the servers of one fleet. Its key never leaves this object. */
export type Authority = {
	readonly fleet: string;
	/** What others verify by: the root, or roots. */
	readonly caPem: string;
	/** Root, then every issuer: for verifiers who must know those that a peer does not send. */
	readonly chain: readonly X509Certificate[];
	readonly issuer: Issuer;
	readonly issueDevice: (options: {
		readonly deviceId: string;
		readonly publicKey: webcrypto.CryptoKey;
		readonly serial?: string;
	}) => Promise<IssuedCertificate>;
	readonly issueServer: (hosts: readonly string[]) => Promise<TlsCredentials>;
	/** A client certificate and its key, for a name that is no box's. */
	readonly issueClient: (commonName: string, serial?: string) => Promise<TlsCredentials>;
};

export type OpenAuthorityOptions = {
	readonly fleet: string;
	readonly config: AuthorityConfig;
	/** `authority/` is made in it, unless the operator brings files. */
	readonly stateDirectory: string;
	readonly database: FleetDatabase;
	readonly clock: Clock;
	readonly logger: Logger;
};

export const fingerprintOf = (der: ArrayBuffer | Uint8Array): string =>
	createHash('sha256')
		.update(der instanceof ArrayBuffer ? new Uint8Array(der) : der)
		.digest('hex');

/** Reads the authority's files, or makes them on the very first start of the fleet. */
export const openAuthority = async (options: OpenAuthorityOptions): Promise<Authority> => {
	const {config, stateDirectory, database, logger, fleet} = options;
	const directory = join(stateDirectory, 'authority');
	const known = await database.selectFrom('authority').selectAll().where('id', '=', 'root').executeTakeFirst();
	let created = false;
	if (config.files === undefined && !existsSync(directory)) {
		if (known !== undefined) {
			throw foreign(directory);
		}
		created = await createAuthorityFiles({directory, fleet, nowMs: options.clock.nowMs()});
	}
	const files = config.files ?? {
		rootCertificate: join(directory, authorityFileNames.rootCertificate),
		issuingCertificate: join(directory, authorityFileNames.issuingCertificate),
		issuingKey: join(directory, authorityFileNames.issuingKey),
	};
	const authority = await load(files, options);
	const fingerprint = fingerprintOf(authority.chain[0]?.rawData ?? new ArrayBuffer(0));
	const owner = await agreeOn(database, 'root', fingerprint);
	if (owner !== fingerprint) {
		if (created) {
			await rm(directory, {recursive: true, force: true});
		}
		throw foreign(directory);
	}
	warnOfRootKey(join(directory, authorityFileNames.rootKey), logger);
	return authority;
};

/** Said at every start until somebody has done it. */
const warnOfRootKey = (path: string, logger: Logger): void => {
	if (existsSync(path)) {
		logger.warn({path}, 'the root key lies on this server: keep a copy offline and delete this file');
	}
};

const foreign = (directory: string): CodedError<AuthorityErrorCode> =>
	new CodedError('OTA_AUTHORITY_FOREIGN', {
		message: `The database belongs to another authority than the files of ${directory}: give every server the same files.`,
		details: {directory},
	});

type Files = {readonly rootCertificate: string; readonly issuingCertificate: string; readonly issuingKey: string};

const load = async (files: Files, options: OpenAuthorityOptions): Promise<Authority> => {
	try {
		const roots = certificatesOf(await readFile(files.rootCertificate, 'utf8'));
		const issuers = certificatesOf(await readFile(files.issuingCertificate, 'utf8'));
		const key = await keyFromPem(await readFile(files.issuingKey, 'utf8'));
		const [certificate] = issuers;
		if (certificate === undefined || roots.length === 0) {
			throw new Error('a file holds no certificate');
		}
		await checkChain({roots, issuers, key, nowMs: options.clock.nowMs()});
		return makeAuthority({roots, issuers, issuer: {certificate, privateKey: key.privateKey}}, options);
	} catch (error) {
		throw new CodedError<AuthorityErrorCode>('OTA_AUTHORITY_FILES', {
			message: 'The files of the certificate authority cannot be used; see the cause.',
			cause: error,
			details: {...files},
		});
	}
};

const certificatesOf = (pem: string): readonly X509Certificate[] =>
	PemConverter.decodeWithHeaders(pem)
		.filter(({type}) => type === 'CERTIFICATE')
		.map(({rawData}) => new X509Certificate(rawData));

/** An operator's mistake is found here and not by the first box. */
const checkChain = async (options: {
	readonly roots: readonly X509Certificate[];
	readonly issuers: readonly X509Certificate[];
	readonly key: AuthorityKey;
	readonly nowMs: number;
}): Promise<void> => {
	const {roots, issuers, key, nowMs} = options;
	const path = [...issuers, ...roots].map((each) => new NodeCertificate(Buffer.from(each.rawData)));
	const [leaf] = path;
	const keyPublic = Buffer.from(await webcrypto.subtle.exportKey('spki', key.publicKey));
	if (leaf === undefined || !leaf.publicKey.export({type: 'spki', format: 'der'}).equals(keyPublic)) {
		throw new Error('the issuing key is not of the issuing certificate');
	}
	for (const each of path) {
		if (!each.ca) {
			throw new Error(`not the certificate of an authority: ${each.subject}`);
		}
		if (each.validToDate.getTime() <= nowMs || each.validFromDate.getTime() > nowMs) {
			throw new Error(`not valid today: ${each.subject}`);
		}
	}
	for (const [index, each] of path.slice(0, issuers.length).entries()) {
		if (!path.slice(index + 1).some((above) => each.checkIssued(above) && each.verify(above.publicKey))) {
			throw new Error(`no issuer of it is in the files: ${each.subject}`);
		}
	}
};

const makeAuthority = (
	parts: {
		readonly roots: readonly X509Certificate[];
		readonly issuers: readonly X509Certificate[];
		readonly issuer: Issuer;
	},
	{fleet, config, clock}: OpenAuthorityOptions,
): Authority => {
	const {roots, issuers, issuer} = parts;
	const caPem = toPem(roots);
	const withKey = async (
		leaf: {readonly usage: 'client' | 'server'; readonly hosts?: readonly string[]; readonly serial?: string},
		commonName: string,
	): Promise<TlsCredentials> => {
		const keys = await makeKey();
		const certificate = await makeLeaf({
			...leaf,
			subject: fleetSubject(fleet, commonName),
			publicKey: keys.publicKey,
			issuer,
			nowMs: clock.nowMs(),
			lifeMs: config.serverCertificateDays * dayMs,
		});
		return {
			keyPem: await keyToPem(keys),
			certificatePem: toPem([certificate, ...issuers]),
			caPem,
			notAfterMs: certificate.notAfter.getTime(),
		};
	};
	return {
		fleet,
		caPem,
		chain: [...roots, ...issuers],
		issuer,
		issueDevice: async ({deviceId, publicKey, serial}) => {
			const certificate = await makeLeaf({
				subject: fleetSubject(fleet, deviceId),
				usage: 'client',
				publicKey,
				issuer,
				nowMs: clock.nowMs(),
				lifeMs: config.deviceCertificateDays * dayMs,
				...(serial === undefined ? {} : {serial}),
			});
			return {certificate, pem: toPem([certificate])};
		},
		issueServer: async (hosts) => await withKey({usage: 'server', hosts}, 'server'),
		issueClient: async (commonName, serial) =>
			await withKey({usage: 'client', ...(serial === undefined ? {} : {serial})}, commonName),
	};
};

export const toPem = (certificates: readonly X509Certificate[]): string =>
	certificates.map((each) => `${each.toString('pem')}\n`).join('');
