import Router from '@koa/router';
import type Koa from 'koa';
import type {SupervisorStatus} from '#appliance/contract/supervisor-status-schema.ts';
import {createApp} from '#appliance/http/create-app.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {createServiceMetrics} from '#appliance/supervisor/service-metrics.ts';
import {renderStatusPage} from '#appliance/supervisor/status-page.ts';

/** `/health`, `/metrics`, `/status` and a page. It only tells; orders come by other ways. */
export const createStatusApi = (options: {readonly status: () => SupervisorStatus; readonly logger: Logger}): Koa => {
	const {status, logger} = options;
	const metrics = createServiceMetrics(status);
	const router = new Router();
	router.get('/', (context) => {
		context.type = 'text/html; charset=utf-8';
		context.set('Content-Security-Policy', "default-src 'none'; style-src 'unsafe-inline'");
		context.body = renderStatusPage(status());
	});
	router.get('/health', (context) => {
		const {healthy, reasons} = status();
		context.status = healthy ? 200 : 503;
		context.body = {healthy, reasons};
	});
	router.get('/status', (context) => {
		context.body = status();
	});
	router.get('/metrics', async (context) => {
		context.type = metrics.contentType;
		context.body = await metrics.metrics();
	});
	const app = createApp({logger});
	app.use(async (context, next) => {
		context.set('Cache-Control', 'no-store');
		await next();
	});
	app.use(router.routes());
	app.use(router.allowedMethods());
	return app;
};
