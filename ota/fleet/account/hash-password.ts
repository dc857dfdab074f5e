import {type Argon2Parameters, argon2, randomBytes, timingSafeEqual} from 'node:crypto';
import {promisify} from 'node:util';
import {apiError} from '#ota/fleet/api/api-error.ts';

const argon2Async = promisify(argon2);

/** The least that OWASP's Password Storage Cheat Sheet asks of argon2id: 19 MiB, two passes, one lane. */
export const argon2Cost = {memoryKiB: 19_456, passes: 2, parallelism: 1} as const;
const saltBytes = 16;
const hashBytes = 32;
/** Each takes 19 MiB and a thread of the pool; more at once would let a flood of sign-ins starve the server. */
const hashesAtOnceMax = 8;
let hashesNow = 0;

/** A password as PHC string: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`. */
export const hashPassword = async (password: string): Promise<string> => {
	const salt = randomBytes(saltBytes);
	const hash = await derive(password, {...argon2Cost, salt, lengthBytes: hashBytes});
	const {memoryKiB, passes, parallelism} = argon2Cost;
	return `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(hash)}`;
};

export type PasswordCheck = {
	readonly isRight: boolean;
	/** It was made with another cost than today's: hash it anew while the password is at hand. */
	readonly isOutdated: boolean;
};

const phcPattern = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([\w+/]+)\$([\w+/]+)$/u;

/** Without a stored hash (no such account) it takes as long, so that time does not tell which names there are. */
export const verifyPassword = async (password: string, stored: string | null): Promise<PasswordCheck> => {
	const [, memory, passes, parallelism, salt, hash] = phcPattern.exec(stored ?? decoy) ?? [];
	if (salt === undefined || hash === undefined) {
		return {isRight: false, isOutdated: false};
	}
	const expected = Buffer.from(hash, 'base64');
	const cost = {memoryKiB: Number(memory), passes: Number(passes), parallelism: Number(parallelism)};
	const actual = await derive(password, {...cost, salt: Buffer.from(salt, 'base64'), lengthBytes: expected.length});
	return {
		isRight: stored !== null && timingSafeEqual(actual, expected),
		isOutdated:
			cost.memoryKiB !== argon2Cost.memoryKiB ||
			cost.passes !== argon2Cost.passes ||
			cost.parallelism !== argon2Cost.parallelism,
	};
};

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replaceAll('=', '');

const decoy = `$argon2id$v=19$m=${argon2Cost.memoryKiB},t=${argon2Cost.passes},p=${argon2Cost.parallelism}$${unpadded(Buffer.alloc(saltBytes))}$${unpadded(Buffer.alloc(hashBytes))}`;

const derive = async (
	password: string,
	options: {
		readonly memoryKiB: number;
		readonly passes: number;
		readonly parallelism: number;
		readonly salt: Buffer;
		readonly lengthBytes: number;
	},
): Promise<Buffer> => {
	if (hashesNow >= hashesAtOnceMax) {
		throw apiError('OTA_API_TOO_MANY_REQUESTS', {
			status: 429,
			message: 'Too many people sign in at this moment: try again shortly.',
			retryAfterSeconds: 2,
		});
	}
	const parameters: Argon2Parameters = {
		// One spelling per character, so that the same pass phrase is the same on every keyboard (NFKC, SP 800-63B).
		message: password.normalize('NFKC'),
		nonce: options.salt,
		memory: options.memoryKiB,
		passes: options.passes,
		parallelism: options.parallelism,
		tagLength: options.lengthBytes,
	};
	hashesNow += 1;
	try {
		return await argon2Async('argon2id', parameters);
	} finally {
		hashesNow -= 1;
	}
};
