// What a reader may type that no model can read, or should not be believed on: a clear word for each.

const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

// Why this text cannot be read at all; "" when it can.
export function textTrouble(text, example, alphabet, longest) {
  const letters = [...text];
  if (!text.trim()) return `There is nothing to translate yet: type a text such as ${example}.`;
  if (letters.length > longest) return `These are ${letters.length.toLocaleString("en")} letters; the model is made for at most ${longest}. Shorten the text.`;
  return strangersTrouble(letters, alphabet);
}

// The same for a language model, which reads the end of a long text and leaves the rest.
const LONGEST_READ = 5000; // letters: cutting them into tokens takes time

export function readingTrouble(text, alphabet) {
  if (text.length === 0) return "There is nothing to read yet: type the beginning of a text.";
  if (text.length > LONGEST_READ) return `These are ${text.length.toLocaleString("en")} letters; more than ${LONGEST_READ.toLocaleString("en")} are not read. Shorten the text.`;
  return strangersTrouble([...text], alphabet);
}

// The signs that are not in the alphabet, where there is one.
function strangersTrouble(letters, alphabet) {
  const strangers = alphabet ? [...new Set(letters)].filter((letter) => !alphabet.includes(letter)) : [];
  if (strangers.length === 0) return "";
  const few = strangers.slice(0, 5).map((letter) => `“${letter}”`).join(", ");
  return `The model knows ${[...alphabet].length} signs, and ${few}${strangers.length > 5 ? " and others" : ""} ${strangers.length > 1 ? "are" : "is"} not among them.`;
}

// Why what is written should not be believed, for a translator of dates; "" for a day that it knows.
export function dateTrouble(text) {
  const found = /^(\p{L}+) (\d{1,2}), (\d+)$/u.exec(text), month = found ? MONTHS.indexOf(found[1]) : -1;
  if (month < 0) return "This is not written like the dates that the model learned from (January 5, 1987): what it writes means nothing.";
  const [day, year] = [Number(found[2]), Number(found[3])], date = new Date(Date.UTC(2000, month, day));
  date.setUTCFullYear(year, month, day);
  if (date.getUTCMonth() !== month || date.getUTCDate() !== day) return `There is no ${text}. The model writes on all the same: it learned letters, not the calendar.`;
  return year < 1900 || year > 2099 ? "It learned the years 1900 to 2099 only; of this one it never read." : "";
}
