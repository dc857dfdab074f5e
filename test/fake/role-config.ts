import {z} from 'zod';

/** How the role of `role-main.ts` fails. */
export const fakeRoleConfigSchema = z.strictObject({
	readyAfterMs: z.int().default(0),
	refuseToStart: z.boolean().default(false),
	crashAfterMs: z.int().optional().describe('Throws where nobody catches it.'),
	/** Its loop stands still, so that no heartbeat comes and no signal is handled. */
	blockAfterMs: z.int().optional(),
	disposeMs: z.int().default(0),
	/** A child of its own that must not outlive it. */
	grandchild: z.boolean().default(false),
	/** Stands under a name that says that it is one. */
	secret: z.string().optional(),
	/** Says what it is told by a changed configuration, and runs on. */
	takesChanges: z.boolean().default(false),
	/** What it logs once it runs. */
	says: z.string().optional(),
});
