import type {Logger} from '#appliance/log/logger.ts';
import {type Service, startService} from '#appliance/supervisor/start-service.ts';
import {liveChannelId} from '#demo/box/box-files.ts';
import {livePushArgs, type MediaRecipe} from '#demo/media/recipe.ts';

/** The live channel's encoder: ffmpeg, which pushes the loop to the headend in real time and is restarted if it ends. */
export const startEncoder = (options: {
	readonly recipe: MediaRecipe;
	readonly loopPath: string;
	readonly headendUrl: string;
	readonly logger: Logger;
	readonly signal: AbortSignal;
}): Service => {
	const {recipe, loopPath, headendUrl, logger, signal} = options;
	return startService(
		{
			name: 'encoder',
			command: 'ffmpeg',
			args: livePushArgs(recipe, {
				loopPath,
				url: `${headendUrl}/ingest/${liveChannelId}/manifest.mpd`,
				run: Date.now().toString(36),
			}),
			readiness: {kind: 'spawned'},
			stopTimeoutMs: 3000,
		},
		{logger, signal},
	);
};
