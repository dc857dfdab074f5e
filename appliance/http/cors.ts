import type {Context, Middleware} from 'koa';

/** What a player in a page of another origin may read; without it hls.js sees neither sizes nor ranges. */
const exposedHeaders = 'Content-Length, Content-Range, Accept-Ranges, ETag, Date, Age, Streamverse-Source';
const allowedHeaders = 'Range, If-Range, If-None-Match, If-Modified-Since, Content-Type, Accept';
const preflightMaxAgeSeconds = 86_400;

/** The headers by which any page may read a public object. */
export const corsHeaders: Readonly<Record<string, string>> = {
	'Access-Control-Allow-Origin': '*',
	'Access-Control-Expose-Headers': exposedHeaders,
	'Timing-Allow-Origin': '*',
};

/** Answers a CORS preflight; public objects need no more than GET and HEAD. */
export const answerPreflight = (context: Context): void => {
	context.set(corsHeaders);
	context.set({
		'Access-Control-Allow-Methods': 'GET, HEAD, OPTIONS',
		'Access-Control-Allow-Headers': allowedHeaders,
		'Access-Control-Max-Age': String(preflightMaxAgeSeconds),
		Allow: 'GET, HEAD, OPTIONS',
	});
	context.status = 204;
};

/** Opens everything below it to any page, failures too (a player must be able to read why), and answers preflights. */
export const openToEveryOrigin = (): Middleware => async (context, next) => {
	context.set(corsHeaders);
	if (context.method === 'OPTIONS') {
		answerPreflight(context);
		return;
	}
	await next();
};
