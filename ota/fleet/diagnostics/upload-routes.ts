import Router from '@koa/router';
import type {DefaultContext, ParameterizedContext} from 'koa';
import {diagnosticsIdSchema} from '#ota/contract/diagnostics-api.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import {type DeviceState, requireDevice} from '#ota/fleet/device/device-state.ts';
import type {DiagnosticsServerErrorCode} from '#ota/fleet/diagnostics/diagnostics-error.ts';
import type {Uploads} from '#ota/fleet/diagnostics/uploads.ts';

type DeviceContext = ParameterizedContext<DeviceState, DefaultContext>;

/**
 * HEAD and PATCH `/upload/<id>` after draft-ietf-httpbis-resumable-upload: the box asks how far it has come, and appends
 * there. The fleet made the id, so that nothing is created here.
 */
export const createUploadRoutes = (uploads: Uploads): Router => {
	const router = new Router<DeviceState, DefaultContext>();
	router.use('/upload/{*path}', requireDevice);
	router.head('/upload/:id', async (context) => {
		const {offsetBytes, complete} = await uploads.offset(claimOf(context));
		context.set({
			'Upload-Offset': String(offsetBytes),
			'Upload-Complete': complete ? '?1' : '?0',
			'Cache-Control': 'no-store',
		});
		context.status = 204;
	});
	router.patch('/upload/:id', async (context) => {
		const {headers} = context.req;
		if (context.is('application/partial-upload') === false) {
			throw invalid(415, 'A part is sent as application/partial-upload.');
		}
		const {offsetBytes, complete} = await uploads.append({
			...claimOf(context),
			request: context.req,
			offsetBytes: numberOf(headers['upload-offset']),
			lengthBytes: numberOf(headers['content-length']),
			totalBytes: numberOf(headers['upload-length']),
			last: headers['upload-complete'] === '?1',
			sha256: digestOf(headers['repr-digest']),
		});
		context.set({'Upload-Offset': String(offsetBytes), 'Upload-Complete': complete ? '?1' : '?0'});
		context.status = 204;
	});
	return router as Router;
};

const claimOf = ({params, state}: DeviceContext): {readonly id: string; readonly box: string} => {
	const id = diagnosticsIdSchema.safeParse((params as {readonly id?: unknown}).id);
	if (!id.success || state.deviceId === undefined) {
		throw apiError<DiagnosticsServerErrorCode>('OTA_UPLOAD_UNKNOWN', {
			status: 404,
			message: 'Nobody awaits this upload.',
		});
	}
	return {id: id.data, box: state.deviceId};
};

const invalid = (status: number, message: string) =>
	apiError<DiagnosticsServerErrorCode>('OTA_UPLOAD_INVALID', {status, message});

const numberOf = (value: string | string[] | undefined): number => {
	if (typeof value !== 'string' || !/^\d{1,15}$/u.test(value)) {
		throw invalid(400, 'Upload-Offset, Upload-Length and Content-Length must be numbers.');
	}
	return Number(value);
};

/** `Repr-Digest` of RFC 9530; absent is allowed. */
const digestOf = (value: string | string[] | undefined): string | undefined => {
	if (value === undefined) {
		return undefined;
	}
	const base64 = /(?:^|,\s*)sha-256=:([A-Za-z0-9+/]{43}=):/u.exec(String(value))?.[1];
	if (base64 === undefined) {
		throw invalid(400, 'Repr-Digest must hold sha-256=:<base64>: (RFC 9530).');
	}
	return Buffer.from(base64, 'base64').toString('hex');
};
