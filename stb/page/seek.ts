/** What can be reached: the whole of a film, or the window that a live channel still offers; seconds. */
export const seekableRange = (video: HTMLVideoElement): {readonly start: number; readonly end: number} => {
	const {seekable} = video;
	if (seekable.length === 0) {
		return {start: 0, end: 0};
	}
	return {start: seekable.start(0), end: seekable.end(seekable.length - 1)};
};

/** Seeking to the very edge would wait for media that does not exist yet. */
const edgeMarginSeconds = 0.5;

const move = (video: HTMLVideoElement, seconds: number): void => {
	const {start, end} = seekableRange(video);
	if (end > start) {
		video.currentTime = Math.max(start, Math.min(end - edgeMarginSeconds, seconds));
	}
};

export const seekBy = (video: HTMLVideoElement, seconds: number): void => move(video, video.currentTime + seconds);

/** `ratio` of the reachable range. */
export const seekTo = (video: HTMLVideoElement, ratio: number): void => {
	const {start, end} = seekableRange(video);
	move(video, start + (end - start) * ratio);
};
