import {execFileSync} from 'node:child_process';
import {existsSync, readFileSync} from 'node:fs';
import path from 'node:path';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import {checkoutCache} from '#image/make/image-cache.ts';
import {imageDirectory} from '#image/make/recipe.ts';

export type Trust = 'development' | 'release';

type KeyPair = {
	/** A file in PEM, or a PKCS#11 URI (RFC 7512) in a file of one line. */
	readonly key: string;
	readonly certificate: string;
};

export type ImageKeys = {
	readonly signers: Readonly<Record<Trust, KeyPair & {readonly intermediate: string}>>;
	/** What an image trusts, in PEM. */
	readonly keyring: Readonly<Record<Trust, string>>;
	readonly rootPath: string;
	/** `db` of Secure Boot. */
	readonly secureBoot: KeyPair;
};

/** Of a development fleet. A checkout has its own: its boxes trust no bundle of another's. */
export const developmentKeysDirectory = path.join(checkoutCache, 'keys');

const certificates = ['bundle-root', 'keyring-development', 'keyring-release', 'db'] as const;

/**
 * Reads a directory of keys; `make` fills it with a development fleet's first. A key may be a PKCS#11 URI: then the file
 * `<name>.pkcs11` holds it, and no `<name>.key` is there.
 * @throws CodedError IMAGE_KEYS_INVALID naming what is missing.
 */
export const openImageKeys = (directory: string, {make}: {readonly make: boolean}): ImageKeys => {
	if (make) {
		runMakeKeys(directory);
	}
	requireFiles(directory, [...certificates.map((name) => `${name}.pem`), keyNameOf(directory, 'db')]);
	const file = (name: string): string => path.join(directory, name);
	const signer = (trust: Trust): KeyPair & {readonly intermediate: string} => ({
		key: keyOf(directory, `${trust}-signer`),
		certificate: file(`${trust}-signer.pem`),
		intermediate: file(`${trust}-ca.pem`),
	});
	return {
		signers: {development: signer('development'), release: signer('release')},
		keyring: {
			development: readFileSync(file('keyring-development.pem'), 'utf8'),
			release: readFileSync(file('keyring-release.pem'), 'utf8'),
		},
		rootPath: file('bundle-root.pem'),
		secureBoot: {key: keyOf(directory, 'db'), certificate: file('db.pem')},
	};
};

/**
 * By whom a bundle is signed. Only who is asked for need be there: an operator's builder has no development keys.
 * @throws CodedError IMAGE_KEYS_INVALID naming what is missing.
 */
export const signerOf = (keys: ImageKeys, trust: Trust): KeyPair & {readonly intermediate: string} => {
	const directory = path.dirname(keys.rootPath);
	requireFiles(directory, [`${trust}-signer.pem`, `${trust}-ca.pem`, keyNameOf(directory, `${trust}-signer`)]);
	return keys.signers[trust];
};

const requireFiles = (directory: string, names: readonly string[]): void => {
	const missing = names.filter((name) => !existsSync(path.join(directory, name)));
	if (missing.length > 0) {
		throw new CodedError<ImageErrorCode>('IMAGE_KEYS_INVALID', {
			message: `${directory} lacks ${missing.join(', ')}; image/README.md tells what an operator's keys are.`,
		});
	}
};

const keyNameOf = (directory: string, name: string): string =>
	existsSync(path.join(directory, `${name}.pkcs11`)) ? `${name}.pkcs11` : `${name}.key`;

const keyOf = (directory: string, name: string): string => {
	const file = path.join(directory, keyNameOf(directory, name));
	return file.endsWith('.pkcs11') ? readFileSync(file, 'utf8').trim() : file;
};

const runMakeKeys = (directory: string): void => {
	try {
		execFileSync(path.join(imageDirectory, 'key/make-keys.sh'), [directory], {stdio: ['ignore', 'ignore', 'pipe']});
	} catch (error) {
		throw new CodedError<ImageErrorCode>('IMAGE_KEYS_INVALID', {
			message: `No keys could be made in ${directory}: ${errorMessage(error)}`,
			cause: error,
		});
	}
};
