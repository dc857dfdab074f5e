const charactersMin = 12;

export const passwordHint = `At least ${charactersMin} characters; a sentence is good.`;

/** What is still missing; nothing is said of a field that is empty. */
export const passwordProblem = (password: string): string | undefined =>
	password !== '' && password.length < charactersMin ? `${charactersMin - password.length} more characters` : undefined;
