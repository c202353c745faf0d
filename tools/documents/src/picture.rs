//! Pictures, decoded, scaled and encoded anew for a model.
//!
//! Every picture is encoded anew: one that cannot be decoded would make a provider refuse the whole conversation,
//! and what else a file may hold (places, thumbnails, a second file at its end) does not leave the machine.

use crate::{Error, damaged};
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage};
use std::io::Cursor;

/// Longest side of what is returned, in pixels; models scale down what is larger.
pub const LONGEST_SIDE: u32 = 1568;
/// Largest picture file, in bytes.
pub const LARGEST_PICTURE: u64 = 16 << 20;
/// Most memory for the pixels of a picture as it is decoded, in bytes; enough for a photo of 13 million pixels.
pub const MOST_PIXEL_BYTES: u64 = 40 << 20;

/// Most bytes of what is returned, so that it fits into a result of 1 MiB.
const MOST_ENCODED: usize = 768 << 10;
/// Qualities of JPEG that are tried until the picture is small enough.
const QUALITIES: [u8; 4] = [85, 70, 50, 30];
/// What is read, by the magic bytes that `image` knows.
const FORMATS: [(ImageFormat, &str); 5] = [
    (ImageFormat::Png, "PNG"),
    (ImageFormat::Jpeg, "JPEG"),
    (ImageFormat::Gif, "GIF"),
    (ImageFormat::WebP, "WebP"),
    (ImageFormat::Bmp, "BMP"),
];

/// A picture that a model can take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its media type.
    pub mime: &'static str,
    /// The encoded picture.
    pub data: Vec<u8>,
    /// What the file was, such as `JPEG picture, 4032 x 3024 pixels, scaled to 1568 x 1176`.
    pub title: String,
}

/// The name of the format, if these are the first bytes of a picture that [`picture`] reads.
#[must_use]
pub fn picture_format(head: &[u8]) -> Option<&'static str> {
    let format = image::guess_format(head).ok()?;
    FORMATS.iter().find(|(known, _)| *known == format).map(|(_, name)| *name)
}

/// The picture in a file, upright, scaled down if it is large; of an animation the first frame.
pub fn picture(bytes: &[u8]) -> Result<Picture, Error> {
    if bytes.len() as u64 > LARGEST_PICTURE {
        return Err(Error::LargePicture);
    }
    let name = picture_format(bytes).ok_or_else(|| Error::Damaged("its format is not known".to_owned()))?;
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|error| damaged(&error))?;
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MOST_PIXEL_BYTES);
    reader.limits(limits);
    let lossy = reader.format() == Some(ImageFormat::Jpeg);
    let mut decoder = reader.into_decoder().map_err(|error| damaged(&error))?;
    let (width, height) = decoder.dimensions();
    if decoder.total_bytes() > MOST_PIXEL_BYTES {
        return Err(Error::ManyPixels { width, height, bytes: decoder.total_bytes() });
    }
    let orientation = decoder.orientation().map_err(|error| damaged(&error))?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(|error| damaged(&error))?;
    let mut title = format!("{name} picture, {width} x {height} pixels");
    if width.max(height) > LONGEST_SIDE {
        image = image.thumbnail(LONGEST_SIDE, LONGEST_SIDE);
        title.push_str(&format!(", scaled to {} x {}", image.width(), image.height()));
    }
    image.apply_orientation(orientation);
    let (mime, data) = encode(image, lossy)?;
    Ok(Picture { mime, data, title })
}

/// PNG keeps drawings and screenshots sharp; JPEG is for photos and for what PNG does not make small.
fn encode(image: DynamicImage, lossy: bool) -> Result<(&'static str, Vec<u8>), Error> {
    let mut data = Vec::new();
    if !lossy {
        let image = if image.color().has_alpha() {
            DynamicImage::ImageRgba8(image.to_rgba8())
        } else {
            DynamicImage::ImageRgb8(image.to_rgb8())
        };
        image.write_to(&mut Cursor::new(&mut data), ImageFormat::Png).map_err(|error| damaged(&error))?;
        if data.len() <= MOST_ENCODED {
            return Ok(("image/png", data));
        }
    }
    let image = on_white(image);
    for quality in QUALITIES {
        data.clear();
        image.write_with_encoder(JpegEncoder::new_with_quality(&mut data, quality)).map_err(|error| damaged(&error))?;
        if data.len() <= MOST_ENCODED {
            break;
        }
    }
    Ok(("image/jpeg", data))
}

/// What is transparent becomes white: JPEG would show whatever colour is behind it.
fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let image = image.into_rgba8();
    let blend = |part: u8, alpha: u8| {
        let alpha = u16::from(alpha);
        u8::try_from((u16::from(part) * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX)
    };
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [red, green, blue, alpha] = image.get_pixel(x, y).0;
        image::Rgb([red, green, blue].map(|part| blend(part, alpha)))
    })
}
