import {readFile} from 'node:fs/promises';
import {parse} from 'yaml';
import {z} from 'zod';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {readTrustAnchor, type TrustAnchor} from '#appliance/diagnostics/elevate/trust-anchor.ts';
import {type Claim, claimSchema} from '#appliance/identity/claim-schema.ts';
import {replaceFile} from '#image/seed/replace-file.ts';
import type {Seed} from '#image/seed/seed-schema.ts';

const boxFileSchema = z.looseObject({box: z.looseObject({id: deviceIdSchema})});

/**
 * Keeps, as root, whose orders may make somebody root on this box. A seed's claim decides, since whoever brings a seed holds
 * the box in hand. Without one, the claim that was brought on the page is taken once, when it comes: the supervisor
 * wrote that file, so it is believed only where nothing is lost yet, and never again.
 */
export const keepAnchor = async (options: {
	readonly anchorPath: string;
	readonly boxPath: string;
	readonly claimPath: string;
	readonly seed: Seed | undefined;
}): Promise<void> => {
	const {anchorPath, seed} = options;
	const kept = await readTrustAnchor(anchorPath).catch(() => undefined);
	const claim: Pick<Claim, 'fleet' | 'orderKey'> | undefined =
		seed?.claim ?? kept ?? (await readClaim(options.claimPath));
	const deviceId = seed?.deviceId ?? kept?.deviceId ?? (await readDeviceId(options.boxPath));
	if (claim === undefined || deviceId === undefined) {
		return;
	}
	const {fleet, orderKey} = claim;
	const anchor: TrustAnchor = {version: 1, fleet, orderKey, deviceId};
	await replaceFile(anchorPath, `${JSON.stringify(anchor)}\n`, {mode: 0o644});
};

const readClaim = async (file: string): Promise<Claim | undefined> => {
	try {
		return claimSchema.parse(JSON.parse(await readFile(file, 'utf8')));
	} catch {
		// None, or one that the supervisor says is wrong.
		return undefined;
	}
};

const readDeviceId = async (file: string): Promise<TrustAnchor['deviceId'] | undefined> => {
	try {
		return boxFileSchema.parse(parse(await readFile(file, 'utf8'))).box.id;
	} catch {
		// The supervisor tells what is wrong with the box's file.
		return undefined;
	}
};
