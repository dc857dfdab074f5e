import {mkdir} from 'node:fs/promises';
import test from 'ava';
import {listen} from '#appliance/http/listen.ts';
import {silentLogger} from '#appliance/log/logger.ts';
import {cacheLayout} from '#stb/cache/cache-layout.ts';
import {startNginx} from '#stb/serve/nginx/start-nginx.ts';
import {withDirectory} from '#test/helper/with-directory.ts';

test('a port that another program holds ends the start with a code instead of waiting for ever', async (t) => {
	await using other = await listen({handler: (_, response) => response.end('other'), host: '127.0.0.1', port: 0});
	const layout = cacheLayout(await withDirectory(t));
	await mkdir(layout.directory, {recursive: true});
	const starting = startNginx({
		layout,
		listen: {host: '127.0.0.1', port: other.port},
		upstreamPort: 1,
		pathPrefix: '/streamverse/',
		onUses: () => undefined,
		logger: silentLogger(),
		signal: AbortSignal.timeout(60_000),
		startTimeoutMs: 1000,
	});
	await t.throwsAsync(starting, {code: 'STB_NGINX_NOT_READY', message: new RegExp(String(other.port), 'u')});
});
