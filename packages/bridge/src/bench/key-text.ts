/** What a key is: `K`, six digits and `#`. 8 characters divide a row of 120 columns, so none is ever cut by its end. */

/** Finds keys in a text; the digits are its group. */
export const keyPattern: RegExp = /K(\d{6})#/g;
/** Characters of a key. */
export const keyLength = 8;

/** Returns the text of a key. */
export const keyText = (key: number): string => `K${String(key).padStart(6, '0')}#`;
