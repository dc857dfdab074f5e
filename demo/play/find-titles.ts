import {stbTitlesSchema} from '#appliance/contract/stb-status-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import {sleep} from '#appliance/time/sleep.ts';
import type {DemoErrorCode} from '#demo/error-code.ts';
import {askBox} from '#demo/watch/watch-boxes.ts';

/** What the set-top's page plays; a channel's first manifest on air may be another. */
const hlsType = 'application/vnd.apple.mpegurl';
const titlesTimeoutMs = 60_000;
const pollIntervalMs = 300;

export type FoundTitles = {readonly vod: string; readonly live: string};

/** Waits until the set-top knows, from the air, a title and a live channel. */
export const findTitles = async (stbUrl: string, signal: AbortSignal): Promise<FoundTitles> => {
	const deadlineMs = performance.now() + titlesTimeoutMs;
	let cause: unknown;
	while (performance.now() < deadlineMs) {
		try {
			const {titles} = await askBox(`${stbUrl}/box/titles`, stbTitlesSchema);
			const playable = titles.filter(({manifests}) => manifests.some(({contentType}) => contentType === hlsType));
			const vod = playable.find(({kind}) => kind === 'vod')?.id;
			const live = playable.find(({kind}) => kind === 'live')?.id;
			if (vod !== undefined && live !== undefined) {
				return {vod, live};
			}
		} catch (error) {
			cause = error;
		}
		await sleep(pollIntervalMs, {signal});
	}
	throw new CodedError<DemoErrorCode>('DEMO_PLAYBACK_FAILED', {
		message: 'The set-top heard of no title and no channel within a minute.',
		cause,
	});
};
