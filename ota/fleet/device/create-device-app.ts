import type Router from '@koa/router';
import type Koa from 'koa';
import {createApp} from '#appliance/http/create-app.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {apiError} from '#ota/fleet/api/api-error.ts';
import type {RateLimiter} from '#ota/fleet/api/rate-limiter.ts';
import type {AuthorityErrorCode} from '#ota/fleet/authority/authority-error.ts';
import type {DeviceAuthentication} from '#ota/fleet/device/authenticate-device.ts';

/** What boxes talk to: each address at a bounded rate, each request with who asks, then the parts' routes. */
export const createDeviceApp = (options: {
	readonly routers: readonly Router[];
	readonly authentication: DeviceAuthentication;
	readonly limiter: RateLimiter;
	readonly logger: Logger;
}): Koa => {
	const {routers, authentication, limiter, logger} = options;
	const app = createApp({logger});
	app.use(async (context, next) => {
		const waitSeconds = limiter.take(context.req.socket.remoteAddress ?? '');
		if (waitSeconds > 0) {
			context.set('retry-after', String(waitSeconds));
			throw apiError<AuthorityErrorCode>('OTA_TOO_MANY_REQUESTS', {
				status: 429,
				message: 'Too many requests from this address.',
				retryAfterSeconds: waitSeconds,
			});
		}
		await next();
	});
	app.use(authentication.middleware);
	for (const router of routers) {
		app.use(router.routes());
	}
	return app;
};
