import {readdirSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {ImageErrorCode} from '#image/error-code.ts';

export type Mirror = {readonly archive: string; readonly security: string};

/**
 * The Debian mirror that this machine's own apt uses (sources.list(5): one-line and deb822 styles).
 * @throws CodedError IMAGE_NO_MIRROR when it uses none.
 */
export const hostMirror = (directory = '/etc/apt'): Mirror => {
	const addresses = sourceFiles(directory).flatMap((file) => addressesOf(readFileSync(file, 'utf8')));
	const archive = addresses.find((address) => /\/debian\/?$/u.test(address));
	if (archive === undefined) {
		throw new CodedError<ImageErrorCode>('IMAGE_NO_MIRROR', {
			message: `No Debian archive is named in ${directory}; name one with --mirror.`,
		});
	}
	return mirrorOf(archive, addresses);
};

/** The archive of security updates lies beside the other, unless this machine knows of another. */
export const mirrorOf = (archive: string, addresses: readonly string[] = []): Mirror => {
	const trimmed = archive.replace(/\/$/u, '');
	const security = addresses.find((address) => /\/debian-security\/?$/u.test(address)) ?? `${trimmed}-security`;
	return {archive: trimmed, security: security.replace(/\/$/u, '')};
};

/**
 * The release of Debian that this machine runs (os-release(5)).
 * @throws CodedError IMAGE_NO_MIRROR when it does not say.
 */
export const hostSuite = (file = '/etc/os-release'): string => {
	const suite = /^VERSION_CODENAME="?([a-z]+)"?$/mu.exec(readFileSync(file, 'utf8'))?.[1];
	if (suite === undefined) {
		throw new CodedError<ImageErrorCode>('IMAGE_NO_MIRROR', {message: `${file} names no release of Debian.`});
	}
	return suite;
};

const sourceFiles = (directory: string): readonly string[] => {
	const parts = path.join(directory, 'sources.list.d');
	const candidates = [
		path.join(directory, 'sources.list'),
		...namesIn(parts)
			.filter((name) => /\.(?:list|sources)$/u.test(name))
			.sort()
			.map((name) => path.join(parts, name)),
	];
	return candidates.filter((file) => namesIn(path.dirname(file)).includes(path.basename(file)));
};

const namesIn = (directory: string): readonly string[] => {
	try {
		return readdirSync(directory);
	} catch {
		return [];
	}
};

const addressesOf = (text: string): readonly string[] => [...lineAddresses(text), ...stanzaAddresses(text)];

const lineAddresses = (text: string): readonly string[] =>
	[...text.matchAll(/^\s*deb\s+(?:\[[^\]]*\]\s+)?(https?:\/\/\S+)/gmu)].map(([, address]) => address ?? '');

/** A field of deb822 goes on over the lines that begin with a space; a stanza may be turned off. */
const stanzaAddresses = (text: string): readonly string[] =>
	text
		.replace(/^#.*\n/gmu, '')
		.split(/\n\s*\n/u)
		.map((stanza) => stanza.replace(/\n[ \t]+/gu, ' '))
		.filter((stanza) => !/^Enabled:\s*(?:no|false|without|off|disable)\s*$/imu.test(stanza))
		.flatMap((stanza) => /^URIs:(.*)$/imu.exec(stanza)?.[1]?.split(/\s+/u) ?? [])
		.filter((address) => /^https?:\/\//u.test(address));
