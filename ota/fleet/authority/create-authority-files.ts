import {mkdir, mkdtemp, rename, rm, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import type {JsonName} from '@peculiar/x509';
import {hasCode} from '#appliance/error/coded-error.ts';
import {dayMs} from '#ota/fleet/authority/authority-config.ts';
import {keyToPem, makeKey} from '#ota/fleet/authority/authority-key.ts';
import {makeIssuing, makeRoot} from '#ota/fleet/authority/make-certificate.ts';

/** Trust is in the root for as long as boxes live; the issuer below it can be made anew with the root's key. */
export const rootLifeDays = 20 * 365;
export const issuingLifeDays = 10 * 365;

export const authorityFileNames = {
	rootCertificate: 'root-certificate.pem',
	issuingCertificate: 'issuing-certificate.pem',
	issuingKey: 'issuing-key.pem',
	/** No server reads it. */
	rootKey: 'root-key.TAKE-THIS-FILE-AWAY.pem',
} as const;

const privateMode = 0o600;

/** What every subject of this fleet begins with, and what the issuer's name constraints permit. */
export const fleetSubject = (fleet: string, commonName?: string): JsonName => [
	{O: [fleet]},
	...(commonName === undefined ? [] : [{CN: [commonName]}]),
];

/**
 * Makes a root and an issuer below it, and writes them as one directory that is there entirely or not at all: of two
 * servers that start at once on shared storage one writes, and the other reads what that one wrote. Answers whether it
 * was this one.
 */
export const createAuthorityFiles = async (options: {
	readonly directory: string;
	readonly fleet: string;
	readonly nowMs: number;
}): Promise<boolean> => {
	const {directory, fleet, nowMs} = options;
	const rootKeys = await makeKey();
	const issuingKeys = await makeKey();
	const root = await makeRoot({
		subject: fleetSubject(fleet, `${fleet} root`),
		keys: rootKeys,
		pathLength: 1,
		nowMs,
		lifeMs: rootLifeDays * dayMs,
	});
	const issuing = await makeIssuing({
		subject: fleetSubject(fleet, `${fleet} issuing`),
		permittedSubject: fleetSubject(fleet),
		publicKey: issuingKeys.publicKey,
		issuer: {certificate: root, privateKey: rootKeys.privateKey},
		nowMs,
		lifeMs: issuingLifeDays * dayMs,
	});
	await mkdir(dirname(directory), {recursive: true});
	const draft = await mkdtemp(`${directory}.new-`);
	const write = async (name: keyof typeof authorityFileNames, text: string): Promise<void> =>
		await writeFile(join(draft, authorityFileNames[name]), text, {mode: privateMode, flush: true});
	try {
		await write('rootCertificate', `${root.toString('pem')}\n`);
		await write('issuingCertificate', `${issuing.toString('pem')}\n`);
		await write('issuingKey', await keyToPem(issuingKeys));
		await write('rootKey', await keyToPem(rootKeys));
		await rename(draft, directory);
		return true;
	} catch (error) {
		await rm(draft, {recursive: true, force: true});
		if (hasCode(error, 'ENOTEMPTY', 'EEXIST')) {
			return false;
		}
		throw error;
	}
};
