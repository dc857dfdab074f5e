import type {Readable} from 'node:stream';
import Router from '@koa/router';
import type {Context} from 'koa';
import {deviceIdSchema} from '#appliance/contract/box-schema.ts';
import {type Sha256, sha256Schema} from '#appliance/contract/fleet/release-schema.ts';
import {sendRepresentation} from '#appliance/http/send-representation.ts';
import type {ArtifactStore} from '#ota/fleet/release/artifact-store.ts';
import type {ArtifactTraffic} from '#ota/fleet/release/artifact-traffic.ts';
import {releaseServerError} from '#ota/fleet/release/release-server-error.ts';

export type ArtifactRoutesOptions = {
	readonly store: ArtifactStore;
	readonly traffic: ArtifactTraffic;
	readonly isPermitted: (box: string, sha256: Sha256) => Promise<boolean>;
};

/** GET and HEAD `/artifact/<sha256>` on the listener of boxes: ranges, a strong ETag, and only what an order names. */
export const createArtifactRoutes = (options: ArtifactRoutesOptions): Router => {
	const router = new Router();
	router.get('/artifact/:sha256', (context) => serve(context, options));
	return router;
};

const serve = async (context: Context, {store, traffic, isPermitted}: ArtifactRoutesOptions): Promise<void> => {
	const box = deviceIdSchema.safeParse(context.state['deviceId']).data;
	const sha256 = sha256Schema.safeParse(context['params'].sha256).data;
	// One answer for what does not exist and what is not theirs: nobody learns which files there are.
	if (box === undefined || sha256 === undefined || !(await isPermitted(box, sha256))) {
		throw forbidden();
	}
	const artifact = await store.open(sha256);
	if (artifact === undefined) {
		throw releaseServerError('OTA_ARTIFACT_UNKNOWN', {status: 404, message: 'This file is not in the store.'});
	}
	let isTaken = false;
	try {
		sendRepresentation(context, {
			sizeBytes: artifact.sizeBytes,
			entityTag: `"${sha256}"`,
			lastModifiedMs: undefined,
			contentType: 'application/octet-stream',
			extraHeaders: {'Cache-Control': 'private, immutable, max-age=31536000'},
			body: (parts) => {
				isTaken = true;
				return counted(artifact.body(parts), (bytes) => traffic.count({box, sha256, bytes}));
			},
		});
	} finally {
		if (!isTaken) {
			await artifact.close();
		}
	}
};

/** What was read of a body is what was sent, but for what still lay in the socket when a box left. */
const counted = (body: Readable, onEnd: (bytes: number) => void): Readable => {
	let bytes = 0;
	const {push} = body;
	body.push = (chunk: Uint8Array | null, ...rest): boolean => {
		bytes += chunk?.length ?? 0;
		return push.call(body, chunk, ...rest);
	};
	body.once('close', () => onEnd(bytes));
	return body;
};

const forbidden = (): Error =>
	releaseServerError('OTA_ARTIFACT_FORBIDDEN', {
		status: 403,
		message: 'No order of this box names this file.',
	});
