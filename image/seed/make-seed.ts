import {parse} from 'yaml';
import {CodedError} from '#appliance/error/coded-error.ts';
import {claimSchema, claimTokenSchema} from '#appliance/identity/claim-schema.ts';
import type {ImageErrorCode} from '#image/error-code.ts';
import {type Seed, seedSchema} from '#image/seed/seed-schema.ts';

const settingsSchema = seedSchema.pick({network: true, config: true});

export type SeedParts = {
	/** The text of the claim that the fleet gives out. */
	readonly claim?: string | undefined;
	/** A token in its place in the claim, such as one that was read from a label. */
	readonly token?: string | undefined;
	readonly deviceId?: string | undefined;
	readonly site?: string | undefined;
	readonly tags?: readonly string[] | undefined;
	readonly timeZone?: string | undefined;
	/** YAML with `config` and `network` as a seed has them, such as a pop-node's headend and a headend's card to its modulator. */
	readonly settings?: string | undefined;
};

/**
 * The seed of one box or of several; undefined when nothing was asked for. Pure.
 * @throws CodedError FLASH_SEED_INVALID
 */
export const makeSeed = (parts: SeedParts, boxCount: number): Seed | undefined => {
	const {site, deviceId, timeZone} = parts;
	const claim = claimOf(parts);
	const tags = parts.tags?.length === 0 ? undefined : parts.tags;
	const {network, config} = settingsOf(parts);
	const wanted = Object.entries({deviceId, site, tags, timeZone, claim, network, config}).filter(
		([, value]) => value !== undefined,
	);
	if (wanted.length === 0) {
		return undefined;
	}
	const result = seedSchema.safeParse({version: 1, ...Object.fromEntries(wanted)});
	if (!result.success) {
		const [issue] = result.error.issues;
		throw invalid(`The seed is wrong at ${issue?.path.join('.')}: ${issue?.message}.`);
	}
	if (boxCount > 1 && (result.data.deviceId ?? result.data.claim?.deviceId ?? result.data.network) !== undefined) {
		throw invalid('This seed names one box, and there are several disks; flash them one at a time.');
	}
	return result.data;
};

const settingsOf = ({settings}: SeedParts): {readonly network?: unknown; readonly config?: unknown} => {
	let content: unknown;
	try {
		content = settings === undefined ? {} : parse(settings);
	} catch (cause) {
		throw invalid('The settings are no YAML.', cause);
	}
	const parsed = settingsSchema.safeParse(content);
	if (!parsed.success) {
		const [issue] = parsed.error.issues;
		throw invalid(
			`The settings are wrong${issue?.path.length ? ` at ${issue.path.join('.')}` : ''}: ${issue?.message}.`,
		);
	}
	return parsed.data;
};

const claimOf = ({claim, token}: SeedParts): unknown => {
	if (claim === undefined) {
		if (token !== undefined) {
			throw invalid('A token needs the claim that says which fleet it is for; give it with --claim.');
		}
		return undefined;
	}
	const parsed = claimSchema.safeParse(parseJson(claim));
	if (!parsed.success) {
		const [issue] = parsed.error.issues;
		throw invalid(`The claim is wrong${issue?.path.length ? ` at ${issue.path.join('.')}` : ''}: ${issue?.message}.`);
	}
	if (token === undefined) {
		return parsed.data;
	}
	const result = claimTokenSchema.safeParse(token.trim());
	if (!result.success) {
		throw invalid(`The token is wrong: it ${result.error.issues[0]?.message}.`);
	}
	return {...parsed.data, token: result.data};
};

const parseJson = (text: string): unknown => {
	try {
		return JSON.parse(text);
	} catch (cause) {
		throw invalid('The claim is no JSON.', cause);
	}
};

const invalid = (message: string, cause?: unknown) =>
	new CodedError<ImageErrorCode>('FLASH_SEED_INVALID', {message, cause});
