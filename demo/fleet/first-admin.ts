import {z} from 'zod';

/** Below the fleet's state directory, readable by its owner; removed once the demo has taken over. */
export const firstAdminFile = 'first-admin.json';

export const firstAdminSchema = z.strictObject({name: z.string(), password: z.string()});
