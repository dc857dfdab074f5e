import {createHash} from 'node:crypto';
import {readFile, stat} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import {CodedError, errorMessage, hasCode} from '#appliance/error/coded-error.ts';
import {type Claim, claimBytesMax, claimSchema, claimTokenSchema} from '#appliance/identity/claim-schema.ts';
import type {IdentityErrorCode} from '#appliance/identity/error-code.ts';
import {keptClaimName} from '#appliance/identity/identity-files.ts';
import {writeDurably} from '#appliance/store/write-durably.ts';

/** The box's own copy: also says which token was used, so that the same claim file does not enrol it again. */
const keptClaimSchema = claimSchema.extend({
	usedTokenSha256: z
		.string()
		.regex(/^[0-9a-f]{64}$/u)
		.optional(),
});
export type KeptClaim = z.infer<typeof keptClaimSchema>;

const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex');

const read = async <Schema extends z.ZodType>(
	filePath: string,
	schema: Schema,
): Promise<z.output<Schema> | undefined> => {
	try {
		const {size} = await stat(filePath);
		if (size > claimBytesMax) {
			throw new RangeError(`It has more than ${claimBytesMax} bytes.`);
		}
		return schema.parse(JSON.parse(await readFile(filePath, 'utf8')));
	} catch (error) {
		if (hasCode(error, 'ENOENT')) {
			return undefined;
		}
		const reason = error instanceof z.ZodError ? z.prettifyError(error) : errorMessage(error);
		throw new CodedError<IdentityErrorCode>('APPLIANCE_CLAIM_INVALID', {
			message: `${filePath} is not a claim file: ${reason}`,
			cause: error,
		});
	}
};

/**
 * Puts a claim where it is looked for, as somebody brought it on the local page.
 * @throws CodedError APPLIANCE_CLAIM_INVALID or APPLIANCE_CLAIM_OTHER_BOX; then nothing was written.
 */
export const bringClaim = async (options: {
	readonly claimFile: string;
	readonly content: unknown;
	readonly deviceId: DeviceId;
}): Promise<void> => {
	const {data: claim, error} = claimSchema.safeParse(options.content);
	if (claim === undefined) {
		throw new CodedError<IdentityErrorCode>('APPLIANCE_CLAIM_INVALID', {
			message: `This is not a claim: ${z.prettifyError(error)}`,
			cause: error,
		});
	}
	requireOwn(claim, options.deviceId);
	await writeDurably(options.claimFile, `${JSON.stringify(claim)}\n`, {mode: 0o600});
};

const requireOwn = (claim: Claim, deviceId: DeviceId): void => {
	if (claim.deviceId !== undefined && claim.deviceId !== deviceId) {
		throw new CodedError<IdentityErrorCode>('APPLIANCE_CLAIM_OTHER_BOX', {
			message: `The claim is for ${claim.deviceId}, and this box is ${deviceId}.`,
		});
	}
};

/**
 * Brings the claim that the box has with another token in it, for one that was flashed without a token or came too late with it.
 * @throws CodedError APPLIANCE_CLAIM_INVALID, APPLIANCE_CLAIM_OTHER_BOX or APPLIANCE_CLAIM_NONE; then nothing was written.
 */
export const bringToken = async ({
	token,
	...place
}: ClaimPlace & {readonly claimFile: string; readonly token: string}): Promise<void> => {
	const {data, error} = claimTokenSchema.safeParse(token);
	if (data === undefined) {
		throw new CodedError<IdentityErrorCode>('APPLIANCE_CLAIM_INVALID', {
			message: `The token is wrong: it ${error.issues[0]?.message}.`,
			cause: error,
		});
	}
	const {claim} = await findClaim(place);
	if (claim === undefined) {
		throw new CodedError<IdentityErrorCode>('APPLIANCE_CLAIM_NONE', {
			message:
				'This box has no claim yet, and a token alone does not say which fleet it is for: bring the whole claim.',
		});
	}
	await bringClaim({...place, content: {...withoutToken(claim), token: data}});
};

type ClaimPlace = {
	readonly directory: string;
	readonly claimFile: string | undefined;
	readonly deviceId: DeviceId;
};

/**
 * The claim that counts: one that was brought (USB stick, flash tool, local page) if it has a token that was not used yet
 * or there is no other, else the box's own copy in `claim.json`.
 */
export const openClaim = async (place: ClaimPlace): Promise<KeptClaim> => {
	const {claim, isNew} = await findClaim(place);
	if (claim === undefined) {
		throw new CodedError<IdentityErrorCode>('APPLIANCE_CLAIM_NONE', {
			message: 'This box has no claim file; make one in the console and put it where the box file says.',
		});
	}
	requireOwn(claim, place.deviceId);
	if (isNew) {
		await keepClaim(place.directory, claim);
	}
	return claim;
};

const findClaim = async ({
	directory,
	claimFile,
}: ClaimPlace): Promise<{readonly claim: KeptClaim | undefined; readonly isNew: boolean}> => {
	const kept = await read(path.join(directory, keptClaimName), keptClaimSchema);
	const brought = claimFile === undefined ? undefined : await read(claimFile, claimSchema);
	const isNew =
		brought !== undefined &&
		(kept === undefined || (brought.token !== undefined && digestOf(brought.token) !== kept.usedTokenSha256));
	return {claim: isNew ? brought : kept, isNew};
};

const keepClaim = (directory: string, claim: KeptClaim): Promise<void> =>
	writeDurably(path.join(directory, keptClaimName), `${JSON.stringify(claim, undefined, '\t')}\n`, {mode: 0o600});

/** Removes the token, now that it is of no use to anybody; answers what is kept. */
export const spendToken = async (directory: string, claim: KeptClaim): Promise<KeptClaim> => {
	const {token, ...rest} = claim;
	if (token === undefined) {
		return claim;
	}
	const spent = {...rest, usedTokenSha256: digestOf(token)};
	await keepClaim(directory, spent);
	return spent;
};

export const withoutToken = ({token: _, usedTokenSha256: __, ...claim}: KeptClaim): Omit<Claim, 'token'> => claim;
