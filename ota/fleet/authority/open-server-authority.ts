import 'reflect-metadata';

import {existsSync} from 'node:fs';
import {mkdir, mkdtemp, readFile, rename, rm, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {PemConverter, X509Certificate} from '@peculiar/x509';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import type {Clock} from '#appliance/time/clock.ts';
import {dayMs} from '#ota/fleet/authority/authority-config.ts';
import type {AuthorityErrorCode} from '#ota/fleet/authority/authority-error.ts';
import {keyFromPem, keyToPem, makeKey} from '#ota/fleet/authority/authority-key.ts';
import {fleetSubject} from '#ota/fleet/authority/create-authority-files.ts';
import {makeLeaf, makeRoot} from '#ota/fleet/authority/make-certificate.ts';

/** Certifies fleet servers at the broker, and nothing else: no certificate of a box is good where servers connect. */
export type ServerAuthority = {
	readonly caPem: string;
	/** A new key with its certificate; both stay in memory. */
	readonly issueClient: (commonName: string) => Promise<{readonly keyPem: string; readonly certificatePem: string}>;
};

const authorityLifeDays = 20 * 365;
/** Made anew at each start of a server, which must not run out of it: the key is never on a disk. */
const clientLifeDays = 5 * 365;
const privateMode = 0o600;

/** Reads or makes `<stateDirectory>/server-authority/`, which every server of the fleet must be given alike. */
export const openServerAuthority = async (options: {
	readonly fleet: string;
	readonly stateDirectory: string;
	readonly clock: Clock;
}): Promise<ServerAuthority> => {
	const {fleet, stateDirectory, clock} = options;
	const directory = join(stateDirectory, 'server-authority');
	if (!existsSync(directory)) {
		await create(directory, {fleet, nowMs: clock.nowMs()});
	}
	try {
		const caPem = await readFile(join(directory, 'certificate.pem'), 'utf8');
		const key = await keyFromPem(await readFile(join(directory, 'key.pem'), 'utf8'));
		const certificate = new X509Certificate(PemConverter.decodeFirst(caPem));
		return {
			caPem,
			issueClient: async (commonName) => {
				const keys = await makeKey();
				const leaf = await makeLeaf({
					subject: fleetSubject(fleet, commonName),
					usage: 'client',
					publicKey: keys.publicKey,
					issuer: {certificate, privateKey: key.privateKey},
					nowMs: clock.nowMs(),
					lifeMs: clientLifeDays * dayMs,
				});
				return {keyPem: await keyToPem(keys), certificatePem: `${leaf.toString('pem')}\n`};
			},
		};
	} catch (error) {
		throw new CodedError<AuthorityErrorCode>('OTA_AUTHORITY_FILES', {
			message: `The authority of the fleet's servers cannot be read from ${directory}.`,
			cause: error,
			details: {directory},
		});
	}
};

/** There entirely or not at all, as the boxes' authority is. */
const create = async (
	directory: string,
	{fleet, nowMs}: {readonly fleet: string; readonly nowMs: number},
): Promise<void> => {
	const keys = await makeKey();
	const certificate = await makeRoot({
		subject: fleetSubject(fleet, `${fleet} servers`),
		keys,
		pathLength: 0,
		nowMs,
		lifeMs: authorityLifeDays * dayMs,
	});
	await mkdir(dirname(directory), {recursive: true});
	const draft = await mkdtemp(`${directory}.new-`);
	try {
		await writeFile(join(draft, 'certificate.pem'), `${certificate.toString('pem')}\n`, {flush: true});
		await writeFile(join(draft, 'key.pem'), await keyToPem(keys), {mode: privateMode, flush: true});
		await rename(draft, directory);
	} catch (error) {
		await rm(draft, {recursive: true, force: true});
		if (!hasCode(error, 'ENOTEMPTY', 'EEXIST')) {
			throw error;
		}
	}
};
