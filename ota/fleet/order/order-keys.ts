import {generateKeyPairSync} from 'node:crypto';
import {mkdir, readFile, rename, writeFile} from 'node:fs/promises';
import path from 'node:path';
import {importJWK} from 'jose';
import {z} from 'zod';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import {type OrderKey, orderKeySchema} from '#appliance/identity/claim-schema.ts';
import {keyThumbprint} from '#appliance/identity/order-trust.ts';
import type {FleetErrorCode} from '#ota/fleet/fleet-error.ts';

const privateKeySchema = orderKeySchema.extend({d: z.base64url().max(64)});
const keyFileSchema = z.strictObject({version: z.literal(1), keys: z.array(privateKeySchema).min(1).max(64)});
type PrivateKey = z.infer<typeof privateKeySchema>;

export type SigningKey = {
	readonly kid: string;
	readonly publicKey: OrderKey;
	readonly sign: Awaited<ReturnType<typeof importJWK>>;
};

/** The private order keys, in a file that only the fleet's servers can read; several servers share it. */
export type OrderKeys = {
	/** Reads the file again when the key is not known: another server has rotated. */
	readonly byId: (kid: string) => Promise<SigningKey>;
	/** The key of a fleet that has signed nothing yet. */
	readonly first: () => Promise<SigningKey>;
	/** Makes a new key, and keeps it before anybody hears of it. */
	readonly add: () => Promise<SigningKey>;
};

export const openOrderKeys = async ({filePath}: {readonly filePath: string}): Promise<OrderKeys> => {
	await mkdir(path.dirname(filePath), {recursive: true});
	try {
		await writeFile(filePath, serialise([makeKey()]), {flag: 'wx', mode: 0o600});
	} catch (error) {
		if (!hasCode(error, 'EEXIST')) {
			throw error;
		}
	}
	let keys = await readKeys(filePath);
	const find = (kid: string): PrivateKey | undefined => keys.find((key) => keyThumbprint(publicOf(key)) === kid);
	return {
		byId: async (kid) => {
			if (find(kid) === undefined) {
				keys = await readKeys(filePath);
			}
			const key = find(kid);
			if (key === undefined) {
				throw new CodedError<FleetErrorCode>('OTA_ORDER_KEY_LOST', {
					message: `${filePath} lacks the order key ${kid}: bring the file of the server that made it, or boxes obey nobody.`,
					details: {filePath, kid},
				});
			}
			return signingKey(key);
		},
		first: () => {
			const [key] = keys;
			return signingKey(key ?? makeKey());
		},
		add: async () => {
			const key = makeKey();
			keys = [...(await readKeys(filePath)), key];
			const temporary = `${filePath}.${process.pid}.new`;
			await writeFile(temporary, serialise(keys), {mode: 0o600, flush: true});
			await rename(temporary, filePath);
			return signingKey(key);
		},
	};
};

const makeKey = (): PrivateKey => {
	const {privateKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'});
	return privateKeySchema.parse(privateKey.export({format: 'jwk'}));
};

const publicOf = ({kty, crv, x, y}: PrivateKey): OrderKey => ({kty, crv, x, y});

const signingKey = async (key: PrivateKey): Promise<SigningKey> => {
	const publicKey = publicOf(key);
	return {kid: keyThumbprint(publicKey), publicKey, sign: await importJWK({...key}, 'ES256')};
};

const serialise = (keys: readonly PrivateKey[]): string => `${JSON.stringify({version: 1, keys}, undefined, '\t')}\n`;

const readKeys = async (filePath: string): Promise<readonly PrivateKey[]> => {
	const parsed = keyFileSchema.safeParse(JSON.parse(await readFile(filePath, 'utf8')));
	if (!parsed.success) {
		throw new CodedError<FleetErrorCode>('OTA_ORDER_KEY_LOST', {
			message: `${filePath} is no file of order keys.`,
			details: {filePath},
			cause: parsed.error,
		});
	}
	return parsed.data.keys;
};
