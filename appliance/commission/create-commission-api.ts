import path from 'node:path';
import Router from '@koa/router';
import type Koa from 'koa';
import {
	type BroughtClaim,
	type CommissionState,
	claimRequestSchema,
	reportRequestSchema,
	resetRequestSchema,
	type Signal,
} from '#appliance/commission/commission-schema.ts';
import {readJsonBody} from '#appliance/commission/read-json-body.ts';
import {isOwnHost, requireSameOrigin, type WriteGuard} from '#appliance/commission/write-guard.ts';
import type {DeviceId} from '#appliance/contract/box-schema.ts';
import type {CommissionReport} from '#appliance/contract/fleet/commission-report-schema.ts';
import {CodedError, hasCode} from '#appliance/error/coded-error.ts';
import {createApp, type HttpErrorCode} from '#appliance/http/create-app.ts';
import {pageAssets} from '#appliance/http/page-assets.ts';
import {claimBytesMax} from '#appliance/identity/claim-schema.ts';
import type {IdentityErrorCode} from '#appliance/identity/error-code.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {projectRoot} from '#native/project-root.ts';

const pageDirectory = path.join(projectRoot, 'appliance/commission/page');
const reportBytesMax = 8 * 1024;
const resetBytesMax = 1024;
/** What stands around a claim in its request. */
const envelopeBytesMax = 1024;

export type CommissionApiOptions = {
	readonly boxId: DeviceId;
	readonly state: () => Promise<CommissionState>;
	readonly signal: () => Promise<Signal>;
	readonly guard: WriteGuard;
	/** Answers whether the box's own services begin anew for it. */
	readonly takeClaim: (brought: BroughtClaim) => Promise<{readonly restarts: boolean}>;
	readonly keepReport: (report: CommissionReport) => Promise<void>;
	/** Undefined where nobody would reset the box. */
	readonly requestReset: (() => Promise<void>) | undefined;
	readonly logger: Logger;
};

/** The page and what it asks. Reading is open to the home; each write passes the guard. */
export const createCommissionApi = (options: CommissionApiOptions): Koa => {
	const app = createApp({logger: options.logger});
	app.use(async (context, next) => {
		if (!isOwnHost(context.host)) {
			throw new CodedError<HttpErrorCode>('HTTP_FORBIDDEN', {message: 'Ask this box by its address or its name.'});
		}
		context.set({'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff'});
		await next();
	});
	app.use(pageAssets({directory: pageDirectory, prefix: '/assets/'}));
	const router = createRouter(options);
	routeReset(router, options);
	app.use(router.routes());
	app.use(router.allowedMethods());
	return app;
};

const createRouter = ({state, signal, guard, takeClaim, keepReport, logger}: CommissionApiOptions): Router => {
	const router = new Router();
	router.get('/api/state', async (context) => {
		context.body = await state();
	});
	router.get('/api/signal', async (context) => {
		context.body = await signal();
	});
	router.post('/api/claim', async (context) => {
		requireSameOrigin(context);
		guard.admit();
		const bytesMax = claimBytesMax + envelopeBytesMax;
		const {code, ...brought} = await readJsonBody(context.req, {bytesMax, schema: claimRequestSchema});
		await guard.allow(code);
		context.body = await takeClaim(brought).catch(badClaim);
		logger.info({from: context.ip, whole: 'claim' in brought}, 'a claim was brought on the page');
	});
	router.post('/api/report', async (context) => {
		requireSameOrigin(context);
		guard.admit();
		const {code, ...said} = await readJsonBody(context.req, {bytesMax: reportBytesMax, schema: reportRequestSchema});
		await guard.allow(code);
		const {time, box, picture, checks} = await state();
		const {dish} = said;
		const report: CommissionReport = {
			...{atMs: time.nowMs, technician: said.technician, note: said.note, release: box.release},
			...(dish === undefined ? {} : {dish}),
			...(picture.tuner === undefined ? {} : {tuner: picture.tuner}),
			checks: [...checks],
		};
		await keepReport(report);
		logger.info({from: context.ip}, 'a commissioning report was stored');
		context.body = report;
	});
	return router;
};

/** Also on a box that is nobody's: being in its home is no proof of standing at it. */
const routeReset = (router: Router, {boxId, guard, requestReset, logger}: CommissionApiOptions): void => {
	if (requestReset === undefined) {
		return;
	}
	router.post('/api/factory-reset', async (context) => {
		requireSameOrigin(context);
		guard.admit();
		const asked = await readJsonBody(context.req, {bytesMax: resetBytesMax, schema: resetRequestSchema});
		if (asked.boxId !== boxId) {
			throw new CodedError<HttpErrorCode>('HTTP_BAD_REQUEST', {
				message: `This box is ${boxId}, and not what was typed.`,
			});
		}
		await guard.prove(asked.code);
		await requestReset();
		logger.warn({from: context.ip}, 'a reset to factory settings was asked for on the page');
		context.status = 202;
		context.body = {};
	});
};

const mistakes: readonly IdentityErrorCode[] = [
	'APPLIANCE_CLAIM_INVALID',
	'APPLIANCE_CLAIM_OTHER_BOX',
	'APPLIANCE_CLAIM_NONE',
];

/** The technician's mistake, not the box's: told word for word. */
const badClaim = (error: unknown): never => {
	if (error instanceof CodedError && hasCode(error, ...mistakes)) {
		const {code, message} = error;
		throw new CodedError(code, {message, cause: error, details: {status: 400}});
	}
	throw error;
};
