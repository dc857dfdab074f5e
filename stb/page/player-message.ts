export type PlayerErrorCode =
	| 'STB_PAGE_NOT_THERE'
	| 'STB_PAGE_UNREACHABLE'
	| 'STB_PAGE_UNPLAYABLE'
	| 'STB_PAGE_UNSUPPORTED';

export type PlayerError = {readonly code: PlayerErrorCode; readonly message: string; readonly canRetry: boolean};

const messages: Readonly<Record<PlayerErrorCode, Omit<PlayerError, 'code'>>> = {
	STB_PAGE_NOT_THERE: {
		message: 'This programme has not arrived on your box yet. Please try again in a moment.',
		canRetry: true,
	},
	STB_PAGE_UNREACHABLE: {
		message: 'Your box cannot get this programme right now, neither by satellite nor over the internet.',
		canRetry: true,
	},
	STB_PAGE_UNPLAYABLE: {
		message: 'Something is wrong with this recording, and it cannot be played.',
		canRetry: true,
	},
	STB_PAGE_UNSUPPORTED: {
		message: 'This screen cannot play this programme. Another device in your home may.',
		canRetry: false,
	},
};

/** What went wrong in words that a subscriber understands, with a code for whoever they call. */
export const playerError = (code: PlayerErrorCode): PlayerError => ({code, ...messages[code]});
