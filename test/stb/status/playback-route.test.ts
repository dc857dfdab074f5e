import Router from '@koa/router';
import test from 'ava';
import type Koa from 'koa';
import type {PlaybackReport} from '#appliance/contract/playback-report.ts';
import {mountPlayback} from '#stb/status/playback-route.ts';
import {withHttpApp} from '#test/helper/with-http-app.ts';

const report: PlaybackReport = {
	...{version: 1, state: 'playing', stalls: 1, stalledMs: 20, framesDecoded: 100, framesDropped: 0},
	...{currentTimeMs: 4000, bufferedAheadMs: 6000, retries: 0, muted: false},
};

test('players’ reports are passed on, and what is none or too much is not', async (t) => {
	const told: PlaybackReport[] = [];
	const router = new Router();
	mountPlayback(router, {tell: (each) => told.push(each), clock: {nowMs: () => 0, monotonicMs: () => 0}});
	const url = await withHttpApp(t, router.routes() as Koa.Middleware);
	const post = async (body: string, type = 'application/json') =>
		(await fetch(`${url}/box/playback`, {method: 'POST', body, headers: {'content-type': type}})).status;
	t.is(await post(JSON.stringify(report)), 204);
	t.deepEqual(told, [report]);
	t.is(await post(JSON.stringify(report), 'text/plain'), 400);
	t.is(await post('{"version":1}'), 400);
	t.is(await post('nonsense'), 400);
	t.is(await post(JSON.stringify({...report, titleId: 'x'.repeat(5000)})), 413);
	const statuses: number[] = [];
	for (let turn = 0; turn < 30; turn += 1) {
		statuses.push(await post(JSON.stringify(report)));
	}
	t.is(statuses.at(-1), 429);
	t.is(told.length, 20);
});
