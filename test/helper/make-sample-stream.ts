import {execFile} from 'node:child_process';
import {mkdir} from 'node:fs/promises';
import {promisify} from 'node:util';

const run = promisify(execFile);

/**
 * A few seconds of a test card with a tone, as CMAF segments of one second under an HLS master playlist with two video
 * rungs and an audio rendition of its own: `<directory>/master.m3u8`.
 */
export const makeSampleStream = async (directory: string, durationSeconds = 8): Promise<void> => {
	await mkdir(directory, {recursive: true});
	await run(
		'ffmpeg',
		[
			...['-hide_banner', '-loglevel', 'error', '-y', '-threads', '1'],
			...['-f', 'lavfi', '-i', `testsrc2=size=640x360:rate=25:duration=${durationSeconds}`],
			...['-f', 'lavfi', '-i', `sine=frequency=440:duration=${durationSeconds}`],
			...[
				'-map',
				'0:v',
				'-map',
				'0:v',
				'-map',
				'1:a',
				'-c:v',
				'libx264',
				'-preset',
				'ultrafast',
				'-pix_fmt',
				'yuv420p',
			],
			...['-g', '25', '-keyint_min', '25', '-sc_threshold', '0', '-c:a', 'aac', '-b:a', '64k'],
			...['-b:v:0', '600k', '-b:v:1', '200k', '-s:v:1', '320x180'],
			...['-f', 'hls', '-hls_time', '1', '-hls_playlist_type', 'vod', '-hls_segment_type', 'fmp4'],
			...['-hls_fmp4_init_filename', 'init.mp4', '-master_pl_name', 'master.m3u8'],
			...['-var_stream_map', 'v:0,agroup:sound v:1,agroup:sound a:0,agroup:sound,default:yes'],
			...['-hls_segment_filename', 'seg-%v-%03d.m4s', 'media-%v.m3u8'],
		],
		{cwd: directory, timeout: 120_000},
	);
};
